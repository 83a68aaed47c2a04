// Asks the registry for advisories about what production needs, and fails where one of them, high or critical, has a fix.
// Arguments go to `npm audit`.
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json', ...process.argv.slice(2)], { encoding: 'utf8' });
const answer = read(stdout);
if (answer?.metadata?.vulnerabilities === undefined) {
  console.error(
    [
      `Nothing is known about advisories: the registry did not say (${answer?.message ?? answer?.error?.summary ?? 'no answer'}).`,
      'Mirrors often have no advisories. Ask a registry that has them: npm run audit -- --registry=https://registry.npmjs.org/',
    ].join('\n'),
  );
  process.exit(2);
}
const found = Object.values(answer.vulnerabilities ?? {});
const urgent = found.filter(
  ({ severity, fixAvailable }) => /^(high|critical)$/.test(severity) && fixAvailable !== false,
);
for (const { name, severity, range } of found) console.log(`${severity}: ${name} ${range}`);
console.log(`${found.length} packages with advisories, ${urgent.length} of them high or critical with a fix`);
process.exit(urgent.length > 0 ? 1 : 0);

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
