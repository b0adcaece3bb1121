/** Tells the processes of a program that `brokkr` runs which one it is, whatever their working directory. */
export const PROGRAM_VARIABLE = "BROKKR_PROGRAM";

/** The program inside brokkr itself. */
export const DEMO_PROGRAM = "brokkr:demo";
