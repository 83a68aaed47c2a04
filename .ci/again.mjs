// Prints the test files of a runner's report that failed, one to a line; nothing where none did or where more than three
// did: so many are no accident of a busy machine.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const MOST = 3;

const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failed = testResults.filter((file) => file.status === 'failed');
if (failed.length <= MOST) for (const { name } of failed) console.log(relative(process.cwd(), name));
