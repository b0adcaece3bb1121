#!/usr/bin/env -S deno run -A
import { main } from "./src/cli/main.ts";
void main();
