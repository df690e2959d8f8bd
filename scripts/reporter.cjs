/**
 * Mocha's spec reporter, with the reasons of skipped tests and one plain line at the end: `N passed, N failed, N skipped`.
 * A test says why it was skipped by `test.skipReason`, or by that property of a suite around it.
 */
const { Base, Spec } = require('mocha').reporters;

module.exports = class Reporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    this.skipped = [];
    runner.on('pending', (test) => this.skipped.push(test));
  }

  epilogue() {
    super.epilogue();
    for (const [reason, count] of this.reasons()) Base.consoleLog(`  skipped ${count}: ${reason}`);
    const { passes, failures } = this.stats;
    Base.consoleLog(`\n${passes} passed, ${failures} failed, ${this.skipped.length} skipped`);
  }

  reasons() {
    const reasons = new Map();
    for (const test of this.skipped) {
      const reason = skipReason(test) ?? `no reason given (${test.fullTitle()})`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    return reasons;
  }
};

function skipReason(runnable) {
  for (let at = runnable; at; at = at.parent) if (at.skipReason) return at.skipReason;
  return undefined;
}
