// Imports what its arguments name, one after the other, and rests: what loading costs, with nothing run.

for (const file of "Deno" in globalThis ? Deno.args : process.argv.slice(2)) await import(file);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
