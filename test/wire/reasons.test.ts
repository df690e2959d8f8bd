import { expect } from 'chai';
import * as reasons from '../../src/wire/reasons.ts';

describe('wire/reasons', () => {
  it('names every code once, after its constant', () => {
    const codes = Object.entries(reasons).filter(
      ([name]) => /^(OK|[A-Z][A-Z0-9]*_[A-Z_]+)$/.test(name) && name !== 'REASON_COUNT',
    );
    for (const [name, code] of codes) {
      expect(reasons.reasonName(code as number)).to.equal(name.toLowerCase().replaceAll('_', '-'));
    }
    expect(new Set(codes.map(([, code]) => code)).size).to.equal(reasons.REASON_COUNT);
  });

  it('says so when a code is not one of them', () => {
    expect(reasons.reasonName(999)).to.equal('unknown-reason-999');
  });
});
