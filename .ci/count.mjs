// Prints "N passed, N failed" from the test runner's own reports: that of the whole run and, where files of it were run
// again, that of the second run, which speaks for these files. A test that failed first and passed then is named, so
// that it gets mended. A file that could not be loaded counts as a failure.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).testResults : []);
const [whole, again] = [read(process.argv[2]), read(process.argv[3] ?? '')];
const second = new Map(again.map((file) => [file.name, file]));
const testsOf = (file, status) => file.assertionResults.filter((test) => test.status === status);

for (const file of whole.filter(({ name }) => second.get(name)?.status === 'passed')) {
  for (const test of testsOf(file, 'failed'))
    console.log(
      `UNSTEADY: failed, then passed in a second run: ${relative(process.cwd(), file.name)} > ${test.fullName}`,
    );
}
const files = whole.map((file) => second.get(file.name) ?? file);
const count = (status) => files.reduce((sum, file) => sum + testsOf(file, status).length, 0);
const broken = files.filter((file) => file.status === 'failed' && testsOf(file, 'failed').length === 0).length;
const skipped = count('pending') + count('skipped') + count('todo');
const failed = count('failed') + broken;
console.log(`${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
