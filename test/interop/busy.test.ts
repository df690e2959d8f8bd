import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './busy-scenes.ts';

const run = inNamespace(scenes);

describeWithTun('A process that is away from its event loop', () => {
  it('reads the acknowledgments that came meanwhile before it serves the timers that passed', async () => {
    const { account } = await run.awayAfterWrite(400);
    expect(account.counters).to.not.have.any.keys('TCPTimeouts');
  });
});
