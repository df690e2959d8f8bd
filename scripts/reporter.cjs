/**
 * Mocha's spec reporter, with the reasons of skipped tests and one plain line at the end: `N passed, N failed, N skipped`.
 * A test, or a suite around it, says why it is skipped at the end of its title: `[pending: no /dev/net/tun; run as root]`.
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

  /** Mocha's last word on the exit status: with TUNSTACK_REQUIRE_TUN=1 (continuous integration) nothing may be skipped. */
  done(failures, end) {
    const forbidden = process.env.TUNSTACK_REQUIRE_TUN === '1' ? this.skipped.length : 0;
    if (forbidden > 0) process.stderr.write('TUNSTACK_REQUIRE_TUN=1: the skipped tests count as failures\n');
    end(failures + forbidden);
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
  return /\[pending: ([^\]]*)\]/.exec(runnable.fullTitle())?.[1];
}
