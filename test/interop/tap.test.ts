import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { patient } from './combinations.ts';
import * as scenes from './tap-scenes.ts';

const run = inNamespace(scenes);

/** `it` where the programs are. */
function itWith(programs: readonly string[], title: string, body: () => Promise<void>): void {
  const missing = programs.filter((program) => spawnSync(program, ['-V']).error !== undefined);
  if (missing.length === 0) it(title, body);
  else it.skip(`${title} [pending: there is no ${missing.join(', ')}]`, body);
}

describeWithTun('a TAP device against the kernel', () => {
  const pings = patient(() => run.pings());
  const detects = patient(() => run.detects());
  const taken = patient(() => run.taken());
  const nobody = patient(() => run.nobody());
  const confirms = patient(() => run.confirms());

  itWith(
    ['arping', 'ping', 'ip'],
    'answers arping and ping over IPv4 and IPv6; both sides know each other',
    async () => {
      const { arping, ping, ping6, large, local, trial, known, others, ours, kernelAddress } = await pings();
      expect(arping).to.include('Received 2 response(s)').and.include('[02:00:00:00:00:02]');
      for (const text of [ping, ping6, large, local]) expect(text).to.include('2 received, 0% packet loss');
      expect(known).to.include('10.0.0.2 lladdr 02:00:00:00:00:02').and.include('fd00::2 lladdr 02:00:00:00:00:02');
      expect(trial).to.include('Received 1 response(s)');
      expect(others).to.include('Received 0 response(s)');
      for (const line of ours) expect(line).to.match(new RegExp(`^${kernelAddress} (STALE|DELAY|REACHABLE)$`));
      expect(ours.length).to.equal(2);
    },
  );

  for (const offload of [true, false]) {
    itWith(
      ['curl'],
      `curl gets 20 MB of us over IPv4 and IPv6, and we reach the kernel, offload ${offload}`,
      async () => {
        const { four, six, echoes, invalid } = await run.transfers(offload);
        expect([four, six]).to.deep.equal([scenes.bodyHash(), scenes.bodyHash()]);
        // By IPv4, IPv6, and the link-local address, whose zone is the interface.
        expect(echoes).to.deep.equal(['hello', 'hello', 'hello']);
        expect(invalid).to.deep.equal([]);
      },
    );
  }

  itWith(['ip'], 'RFC 5227, RFC 4862: what the kernel has is not used, what nobody has is', async () => {
    const { tentative, took, settled, conflicts, kernel } = await detects();
    expect(tentative).to.deep.equal(['10.0.0.1', 'fd00::1', '10.0.0.2', 'fd00::2'].map((one) => `${one} tentative`));
    expect(settled).to.deep.equal([
      '10.0.0.1 duplicate',
      'fd00::1 duplicate',
      '10.0.0.2 preferred',
      'fd00::2 preferred',
    ]);
    expect(conflicts).to.have.members(['10.0.0.1 true false', 'fd00::1 true false']);
    expect(took).to.be.above(1000);
    expect(kernel).to.not.include('dadfailed');
  });

  itWith(
    ['ip', 'ping'],
    'an address of ours that the kernel takes: it detects that of IPv6, we notice that of IPv4, and give it up at the second claim',
    async () => {
      const { dad, once, twice, conflicts, told } = await taken();
      expect(dad).to.match(/fd00::2\/64.*dadfailed/);
      expect(once).to.deep.equal(['10.0.0.2 preferred']);
      expect(twice).to.deep.equal(['10.0.0.2 duplicate']);
      expect(conflicts).to.deep.equal(['10.0.0.2 true true', '10.0.0.2 true false']);
      expect(told).to.equal(2);
    },
  );

  it('who is not there is told of: no route to host', async () => {
    const { told, took, ours } = await nobody();
    expect(told).to.deep.equal([
      'dial tcp 10.0.0.77:80: connect: no route to host',
      'dial tcp [fd00::77]:80: connect: no route to host',
    ]);
    expect(took).to.be.above(590);
    expect(ours).to.deep.equal(['undefined FAILED', 'undefined FAILED']);
  });

  itWith(['ip'], 'neighbours in doubt ask each other, and stay reachable', async () => {
    const { ours, sent, received, kernel } = await confirms();
    expect(ours.length).to.equal(2);
    for (const line of ours) expect(line).to.match(/ (REACHABLE|DELAY|PROBE)$/);
    // The first of each is the question that found the kernel.
    for (const count of sent) expect(count).to.be.above(3);
    for (const count of received) expect(count).to.be.above(0);
    expect(kernel).to.not.include('FAILED').and.not.include('INCOMPLETE');
  });

  itWith(['curl'], 'two hosts and the kernel on one switch', async () => {
    const { got, met, table, tapClosed } = await run.switched();
    expect(got).to.deep.equal([scenes.bodyHash(), scenes.bodyHash()]);
    expect([met, table, tapClosed]).to.deep.equal([true, 3, true]);
  });

  it('RFC 3810: a bridge that snoops knows our groups, and lets the questions of neighbours through', async function () {
    const outcome = await run.snooped();
    if (outcome === undefined) return this.skip();
    expect(outcome.groups).to.include('port tap0 grp ff02::1:ff00:2');
    expect(outcome.ping).to.include('2 received, 0% packet loss');
  });
});
