#!/usr/bin/env node
// Starts the built command line: src/cli/main.ts, compiled by `npm run build`.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const built = new URL('../dist/src/cli/main.js', import.meta.url);

if (major < 22 || (major === 22 && minor < 17)) {
  console.error(`rollcall: this is Node ${process.versions.node}; Rollcall needs Node 22.17 or newer.`);
  process.exitCode = 1;
} else if (!existsSync(built)) {
  console.error('rollcall: it has not been built yet; run `npm run build` first.');
  process.exitCode = 1;
} else {
  const { main } = await import(built.href);
  const code = await main(process.argv.slice(2));
  // A server that was started goes on, and sets the code itself.
  if (code !== 0) process.exitCode = code;
}
