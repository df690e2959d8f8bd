import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { inNamespace } from '../support/namespace.ts';
import { rawProblem } from '../support/raw-problem.ts';
import { LONG } from './combinations.ts';
import * as scenes from './raw-scenes.ts';

const SIZE = LONG ? 200_000_000 : 20_000_000;
const problem = rawProblem();
const run = inNamespace(scenes, { timeout: LONG ? 100_000 : 20_000 });
const has = (tool: string) => spawnSync(tool, ['--version']).error === undefined;
const itWith = (tool: string) =>
  has(tool) ? it : (title: string, _: () => Promise<void>) => it.skip(`${title} [pending: there is no ${tool}]`);

/** In `npm run soak:kernel` alone. */
const itLong = LONG ? it : (_title: string, _body: () => Promise<void>) => {};

function expectWhole({ listened, dialled }: Awaited<ReturnType<typeof run.exchanges>>, size: number): void {
  for (const [ours, kernels] of [listened, dialled] as const) {
    expect([ours.received, kernels.received]).to.deep.equal([size, size]);
    expect(ours.receivedHash).to.equal(kernels.sentHash);
    expect(kernels.receivedHash).to.equal(ours.sentHash);
  }
}

function suite(this: Mocha.Suite): void {
  this.timeout(LONG ? 110_000 : 25_000);

  it(`${SIZE / 1e6} MB both ways, dialled by the kernel and by us, and no RST of the kernel's`, async () => {
    const done = await run.exchanges(SIZE);
    expectWhole(done, SIZE);
    expect(done).to.deep.include({ guard: 'nftables', resets: 0, receiveDrops: 0, answersAfter: true });
    expect(done.counters).to.include({ InErrs: 0, InCsumErrors: 0 });
    expect(done.statistics).to.deep.include({ packetsLost: 0, packetsForeign: 0 });
  });

  it(`${SIZE / 1e7} MB both ways over IPv6`, async () => {
    const done = await run.exchanges(SIZE / 10, { address: 'fd09::2' });
    expectWhole(done, SIZE / 10);
    expect(done).to.deep.include({ resets: 0, receiveDrops: 0, answersAfter: true });
    expect(done.counters).to.include({ InErrs: 0, InCsumErrors: 0 });
  });

  it('an address that the kernel does not have: all ports are ours', async () => {
    const done = await run.exchanges(1_000_000, { address: '10.9.0.77', interface: 'veth0', ports: ['1-65535'] });
    expect(done.listened[0].receivedHash).to.equal(done.listened[1].sentHash);
    expect(done.dialled[0].receivedHash).to.equal(done.dialled[1].sentHash);
    expect(done.resets).to.equal(0);
    expect(done.answersAfter).to.equal(false);
  });

  for (const address of ['10.9.0.2', 'fd09::2']) {
    it(`datagrams both ways, in fragments too; that nobody is there we say, and not the kernel (${address})`, async () => {
      expect(await run.datagrams(address, [0, 10, 1400, 20_000])).to.deep.equal({
        echoed: [true, true, true, true],
        told: 1,
      });
    });
  }

  itWith('curl')('curl loads 20 MB from us, and sends 20 MB', async () => {
    const { hash, loaded, uploaded, resets } = await run.curls(20_000_000);
    expect([loaded, uploaded, resets]).to.deep.equal([hash, hash, 0]);
  });

  it('what comes to the ports is ours to answer, the rest the kernel’s; nothing is sent from a port of the kernel’s', async () => {
    const divided = await run.divides({});
    expect(divided).to.include({ kernelAnsweredOurs: false, weReset: 1, kernelAnsweredItsOwn: true });
    expect(divided).to.include({ sentFromForeign: 0 }).and.have.property('packetsForeign').greaterThan(0);
    expect(divided.error).to.contain('i/o timeout');
  });

  for (const signal of ['SIGKILL', ...(LONG ? (['SIGTERM', 'SIGINT'] as const) : [])] as const) {
    it(`the table goes with a process that ${signal} ended`, async () => {
      const { by, during, after } = await run.outlives(signal);
      expect({ by, during, after }).to.deep.equal({ by: signal, during: false, after: true });
    });
  }

  const foreign = { address: '10.9.0.77', interface: 'veth0', ports: [7, 61_007], guard: 'iptables' } as const;

  itWith('iptables')(
    'rules of iptables, and the route of an address that the kernel does not have, go with SIGTERM',
    async () => {
      const { by, rules, left } = await run.outlives('SIGTERM', foreign);
      expect(by).to.equal('SIGTERM');
      expect(rules).to.include({ rules: 2 }).and.have.property('routes').that.contains('10.9.0.77');
      expect(left).to.deep.equal({ rules: 0, routes: '' });
    },
  );

  itWith('iptables')('and after SIGKILL with the next link', async () => {
    const { rules, left, withNext, end } = await run.outlives('SIGKILL', foreign);
    expect(left).to.deep.equal(rules);
    expect(withNext).to.deep.equal(rules);
    expect(end).to.deep.equal({ rules: 0, routes: '' });
  });

  (has('iptables') ? itLong : it.skip)('iptables drops the kernel’s RSTs, and ours pass', async () => {
    const done = await run.exchanges(1_000_000, { guard: 'iptables' });
    expect(done.listened[0].receivedHash).to.equal(done.listened[1].sentHash);
    expect(done.dialled[0].receivedHash).to.equal(done.dialled[1].sentHash);
    expect(done.guard).to.equal('iptables');
    expect(done.resets).to.be.greaterThan(0);
    expect((await run.divides({ guard: 'iptables' })).weReset).to.equal(1);
  });

  itWith('tc')('a send buffer that is full holds the stack up, and loses nothing', async () => {
    const { sent, got, refusals, packetsLost, again } = await run.holdsUp(6_000_000);
    expect(got).to.equal(sent);
    expect(refusals.get('EAGAIN')).to.be.greaterThan(0);
    // The kernel may be probed while it is away (RFC 8985 7).
    expect([packetsLost, Math.max(again, 0)]).to.deep.equal([0, 0]);
  });

  itLong('an mtu that was lowered is noticed', async () => {
    const { before, after, sent, got } = await run.narrows();
    expect([before, after, got]).to.deep.equal([1500, 1280, sent]);
  });

  it('what cannot be says why, and what to do', async () => {
    const all = await run.refuses();
    expect(all.foreign).to.deep.include({ name: 'RawError', code: 'EADDRNOTAVAIL' });
    expect(all.noInterface).to.deep.include({ name: 'RawError', code: 'ENODEV' });
    expect(all.noPorts).to.deep.include({ name: 'RawError', code: 'ERR_INVALID_ARG_VALUE' });
    expect(all.inUse).to.deep.equal(['EADDRINUSE', 'EADDRINUSE', 'EADDRINUSE', 'none', 'none']);
    expect(all.udpByIptables).to.deep.include({ name: 'RawError', code: 'ENOTSUP' });
    expect(all.inWorker).to.equal('ENOTSUP');
    expect(all.nobody).to.deep.include({ name: 'RawError', code: 'EPERM' });
    expect(all.nobody.message).to.contain('root');
    expect(all.nobodyUnguarded).to.deep.include({ name: 'RawError', code: 'EPERM' });
  });
}

if (problem === undefined) describe('raw sockets between the kernel and tunstack', suite);
else describe.skip(`raw sockets between the kernel and tunstack [pending: ${problem}]`, suite);
