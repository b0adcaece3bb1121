import type { Reporter } from "../log/reporter.ts";

/** Control commands leave no lines of their own: what they cause is told by those who do it. */
export const SILENT: Reporter = { wants: () => false, report: () => {} };
