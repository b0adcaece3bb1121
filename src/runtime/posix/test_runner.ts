/** Test runners, whose process runs them and not the program: a new process of the same program would run all tests again. */

/** By a part of the path of the file that such a process runs. */
const RUNNERS: readonly (readonly [name: string, path: RegExp])[] = [
  ["Vitest", /\/node_modules\/(vitest|tinypool)\//],
  ["Jest", /\/node_modules\/(jest|jest-cli|jest-worker|react-scripts)\//],
  ["Mocha", /\/node_modules\/mocha\//],
  ["AVA", /\/node_modules\/ava\//],
  ["Jasmine", /\/node_modules\/jasmine\//],
  ["Playwright", /\/node_modules\/(@playwright\/test|playwright)\//],
];

/** Name of the runner whose file `path` is; null where it is none. */
export function runnerOf(path: string): string | null {
  return RUNNERS.find(([, part]) => part.test(path))?.[0] ?? null;
}

/** Why the program of a process that `runner` runs in can't be run again, and what to do. */
export function inRunner(runner: string): string {
  return `it runs in ${runner}, which a new process would run again, set "program" to a file that only starts the broker, ` +
    'or "inProcess" to true to run the modules in this process';
}
