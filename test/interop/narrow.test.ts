/** The kernel as a router before a hop of 1280 bytes: it says so, or is silent. RFC 1191, RFC 4821. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './narrow-scenes.ts';

const run = inNamespace(scenes, { timeout: 24_000 });
const SIZE = 200_000;
const missing = ['unshare', 'nsenter', 'ip'].find((tool) => spawnSync(tool, ['-V']).error !== undefined);
// Another namespace, and its end of a link, are made by commands.
const itWithTools =
  missing === undefined && process.getuid?.() === 0
    ? it
    : (title: string) => it.skip(`${title} [pending: needs root, unshare, nsenter and ip]`);

describeWithTun('a hop of 1280 bytes behind the kernel', () => {
  for (const offload of [true, false]) {
    itWithTools(`the kernel says so: the MTU is known from then on, offload ${offload}`, async () => {
      const { got, mss, pmtu, account } = await run.throughNarrowHop({ offload, silent: false }, SIZE);
      expect(got).to.equal(SIZE);
      expect({ mss, pmtu }).to.deep.equal({ mss: 1228, pmtu: 1280 });
      expect(account.counters['TCPTimeouts'] ?? 0).to.equal(0);
      expect(account.counters['IcmpInDestUnreachs']).to.be.greaterThan(0);
    });
  }

  itWithTools('RFC 8201: over IPv6 it says so, too', async () => {
    const { got, mss, pmtu, counters } = await run.throughNarrowHop6(SIZE);
    expect(got).to.equal(SIZE);
    expect({ mss, pmtu }).to.deep.equal({ mss: 1208, pmtu: 1280 });
    // The SYN may find the kernel still busy with addresses of its own.
    expect(counters.TCPTimeouts - counters.TCPSynRetrans).to.equal(0);
    expect(counters.Icmp6InPktTooBigs).to.be.greaterThan(0);
  });

  itWithTools('it is silent: tcp_mtu_probing 2 finds what gets through', async () => {
    const sysctl = { tcp_mtu_probing: 2, tcp_base_mss: 512 };
    const { got, mss, pmtu, account } = await run.throughNarrowHop({ offload: true, silent: true, sysctl }, SIZE);
    expect(got).to.equal(SIZE);
    expect(pmtu).to.equal(1500);
    expect(mss).to.be.within(512, 1228);
    expect(account.counters['IcmpInDestUnreachs'] ?? 0).to.equal(0);
    expect(account.counters['TCPMTUPSuccess']).to.be.greaterThan(0);
  });

  itWithTools('it is silent: tcp_mtu_probing 1 gets out of the black hole', async () => {
    const { got, mss } = await run.throughNarrowHop(
      { offload: false, silent: true, sysctl: { tcp_mtu_probing: 1, tcp_retries1: 1 } },
      SIZE,
    );
    expect(got).to.equal(SIZE);
    expect(mss).to.be.within(1000, 1228);
  });
});
