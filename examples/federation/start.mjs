/** Starts the subgraphs of both teams, each in a process of its own: `npm run example:federation`. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const children = ['costs', 'incidents'].map((name) => {
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: 'inherit' });
  child.on('exit', () => console.log(`The ${name} subgraph has stopped. To start it again: npm run example:${name}`));
  return child;
});
console.log(`They stop by themselves after 30 minutes, or with Ctrl-C. To join them to the graph:

  SUBGRAPHS=examples/federation/subgraphs.json npm start
`);
// One that is stopped leaves the other running: a gateway goes on without it.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
  });
}
