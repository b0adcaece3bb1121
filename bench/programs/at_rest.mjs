import { readdir, readFile } from "node:fs/promises";

/** What a process has used and holds when it has had half a second of rest: processor time of all threads, private memory. */
export async function atRest(pid) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  const memory = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(memory)?.[1] ?? 0);
  let cpuMs = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const [ns] = (await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0")).split(" ");
    cpuMs += Number(ns) / 1e6;
  }
  return { cpuMs, privateBytes: (kib("Private_Dirty") + kib("Private_Hugetlb")) * 1024 };
}
