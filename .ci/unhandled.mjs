// A reporter of the test runner: writes the errors that no test awaited to the file that UNHANDLED names, if there are
// any. The runner's own report lists them nowhere.
import { writeFileSync } from 'node:fs';

export default class {
  onTestRunEnd(_files, errors) {
    if (errors.length > 0)
      writeFileSync(process.env.UNHANDLED, errors.map(({ stack, message }) => `${stack ?? message}\n`).join(''));
  }
}
