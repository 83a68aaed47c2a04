import { runServer } from './cli/start.ts';
import { readConfig } from './config.ts';

await runServer(() => readConfig(process.env, process.argv.slice(2)));
