import { defineModule } from "brokkr";
export const a = defineModule({ name: "a", commands: { who: function () { return this.caller; } } });
export const b = defineModule({ name: "b", commands: { who() { return this.caller; } } });
export const c = defineModule({ name: "c", commands: { who: function (x: number) { return this.caller + x; } } });
export const d = defineModule({ name: "d", commands: { y: () => 1, who: function (x: number) { return this.caller + x; } } });
export const e = defineModule({ name: "e", commands: { who: function (): string { return this.caller; } } });
export const f = defineModule({ name: "f", commands: { signal() { return this.signal.aborted; } } });
export const g = defineModule({ name: "g", commands: { z() {}, who: function () { return this.caller; } } });
export const h = defineModule({ name: "h", workers: { count: 1, commands: { who: function () { return this.caller; } } } });
