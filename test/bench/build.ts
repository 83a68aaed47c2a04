import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles what changed: benchmarks measure the code as it ships. */
export function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['ignore', 2, 2],
  });
}
