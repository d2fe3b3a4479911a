// A vitest reporter that writes {passed, failed, skipped} over all projects to the file TRANSEPT_TEST_TOTALS. A file
// that cannot be loaded, a failing hook and an unhandled error each count as one failure.
import { writeFileSync } from 'node:fs';

class TotalsReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      totals.failed += module.errors().length;
      for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        totals[state === 'pending' ? 'failed' : state]++;
      }
    }
    const file = process.env['TRANSEPT_TEST_TOTALS'];
    if (file) writeFileSync(file, JSON.stringify(totals));
  }
}

export default TotalsReporter;
