import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { patient } from './combinations.ts';
import * as scenes from './ending-scenes.ts';

const run = inNamespace(scenes);

describeWithTun('Connections with the kernel that end, or do not begin', () => {
  const ourKeepalive = patient(() => run.ourKeepalive());
  const kernelKeepalive = patient(() => run.kernelKeepalive());
  const kernelBacklog = patient(() => run.kernelBacklog(5));

  it('a reset by the kernel (SO_LINGER 0) fails the read with ECONNRESET, then the write with EPIPE', async () => {
    const { text, read, write, account } = await run.kernelResets();
    expect([text, read, write]).to.deep.equal(['hello', 'ECONNRESET', 'EPIPE']);
    expect(account.kernel).to.include({ OutRsts: 1 });
    expect(account.counters).to.include({ EstabResets: 1 }).and.not.have.any.keys('OutRsts');
  });

  it('a half-close by the kernel leaves our direction open', async () => {
    const { text, received, account } = await run.kernelHalfCloses();
    expect([text, received]).to.deep.equal(['hello', 1_000_000]);
    expect(account.counters).to.not.have.any.keys('OutRsts', 'EstabResets');
  });

  it("a half-close of ours leaves the kernel's direction open", async () => {
    const { text, received, account } = await run.weHalfClose();
    expect([text, received]).to.deep.equal(['hello', 1_000_000]);
    expect(account.kernel).to.not.have.any.keys('OutRsts', 'EstabResets');
    // A TIME-WAIT of 4 s or less counts so, as on Linux.
    expect(account.counters).to.include({ TWKilled: 1 });
  });

  it('our SO_LINGER 0 resets', async () => {
    const { ended, account } = await run.weReset();
    expect(ended).to.equal('ECONNRESET');
    expect(account.counters).to.include({ OutRsts: 1 });
    expect(account.kernel).to.include({ EstabResets: 1 });
  });

  it('a close with something unread resets', async () => {
    const { ended, account } = await run.weCloseUnread();
    expect(ended).to.equal('ECONNRESET');
    expect(account.counters).to.include({ OutRsts: 1, TCPAbortOnClose: 1 });
  });

  it('both ends close at once, fifty times', async () => {
    const { ended, account } = await run.bothEnd(50);
    expect(ended).to.equal(50);
    expect(account.counters).to.not.have.any.keys('OutRsts', 'EstabResets', 'TCPTimeouts');
    expect(account.kernel).to.not.have.any.keys('OutRsts', 'EstabResets');
  });

  it('our keepalive is answered by the kernel, and gives up when it is silent: 1 s idle, two probes, 1 s apart', async () => {
    const { code, seconds, account } = await ourKeepalive();
    expect(code).to.equal('ETIMEDOUT');
    expect(seconds).to.be.at.least(2.9);
    // One that was answered, and two that were not.
    expect(account.counters).to.include({ TCPKeepAlive: 3, TCPAbortOnTimeout: 1 });
  });

  it("we answer the kernel's keepalive, and the connection goes on", async () => {
    const { text, account } = await kernelKeepalive();
    expect(text).to.equal('hello');
    expect(account.kernel['TCPKeepAlive']).to.be.at.least(2);
    expect(account.kernel).to.not.have.any.keys('OutRsts', 'TCPAbortOnTimeout');
  });

  it('a listener takes backlog + 1 connections; SYNs beyond are dropped, and their retransmissions accepted later', async () => {
    const { established, echoed, account } = await run.ourBacklog(2, 3);
    expect(established).to.equal(3);
    expect(echoed).to.equal(6);
    expect(account.counters).to.include({ ListenOverflows: 3, ListenDrops: 3, PassiveOpens: 6 });
    expect(account.counters).to.not.have.any.keys('OutRsts', 'EstabResets');
    expect(account.kernel).to.include({ TCPSynRetrans: 3 });
  });

  it('a listener drops the ACKs of handshakes beyond backlog + 1, and completes them later', async () => {
    const { established, echoed, account } = await run.ourBacklogAtOnce(2, 6);
    expect(established).to.equal(3);
    expect(echoed).to.equal(6);
    expect(account.counters).to.include({ PassiveOpens: 6 }).and.not.have.any.keys('OutRsts', 'EstabResets');
  });

  it('dials to a kernel listener with a full backlog succeed once it has room', async () => {
    const { echoed, account } = await kernelBacklog();
    expect(echoed).to.equal(5);
    expect(account.kernel['ListenOverflows']).to.be.at.least(1);
    expect(account.counters).to.include({ ActiveOpens: 5 }).and.not.have.any.keys('AttemptFails', 'OutRsts');
  });
});
