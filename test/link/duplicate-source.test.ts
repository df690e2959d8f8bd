/** RFC 5227 2.4, RFC 4862 5.4.5: an address that turned out to be another host's is not spoken from. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import type { LinkReceiver } from '../../src/link/link.ts';
import { createSwitch } from '../../src/link/switch.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

const TRIED = 20_000;

/** A host whose first address its neighbour has already; the one of `mine`. */
async function contested(mine: string[], taken: string, routes?: { destination: string; source: string }[]) {
  const clock = new VirtualClock();
  const lan = createSwitch({ seed: 1 });
  const owner = createHost({ link: createEthernet(lan.port(), { seed: 1 }), address: taken, clock, seed: 1 });
  await clock.advance(TRIED);
  const port = lan.port();
  const attach = port.attach.bind(port);
  let carrier: LinkReceiver | undefined;
  port.attach = (receiver) => {
    carrier = receiver;
    attach(receiver);
  };
  const link = createEthernet(port, { seed: 2 });
  const host = createHost({ link, address: mine, clock, seed: 2, ...(routes && { routes }) });
  await clock.advance(TRIED);
  expect(link.addresses()[0]?.state).to.equal('duplicate');
  return { clock, host, owner, carrier: carrier as LinkReceiver | undefined };
}

describe('an address that another host has', () => {
  for (const [family, mine, taken, other] of [
    ['IPv4', ['10.0.0.1/24', '10.0.0.2/24'], '10.0.0.1/24', '10.0.0.2'],
    ['IPv6', ['2001:db8::1/64', '2001:db8::2/64'], '2001:db8::1/64', '2001:db8::2'],
  ] as const) {
    it(`is no source: ${family}`, async () => {
      const { clock, host, owner } = await contested([...mine], taken);
      const remote = family === 'IPv4' ? '10.0.0.9:80' : '[2001:db8::9]:80';
      const conn = await host.dial('udp', remote);
      expect(String(conn.localAddr().ip)).to.equal(other);
      await Promise.all([host.close({ timeout: 0 }), owner.close({ timeout: 0 })]);
      expect(clock.pending.held).to.equal(0);
    });
  }

  it('is no source of a route', async () => {
    const routes = [{ destination: '0.0.0.0/0', source: '10.0.0.1' }];
    const { host, owner } = await contested(['10.0.0.1/24', '10.0.0.2/24'], '10.0.0.1/24', routes);
    const conn = await host.dial('udp', '192.0.2.1:80');
    expect(String(conn.localAddr().ip)).to.equal('10.0.0.2');
    await Promise.all([host.close({ timeout: 0 }), owner.close({ timeout: 0 })]);
  });

  it('is one again when the carrier was away, and nobody has it any more', async () => {
    const { clock, host, owner, carrier } = await contested(['10.0.0.1/24', '10.0.0.2/24'], '10.0.0.1/24');
    await owner.close({ timeout: 0 });
    carrier?.down();
    carrier?.up();
    await clock.advance(100_000);
    const conn = await host.dial('udp', '10.0.0.9:80');
    expect(String(conn.localAddr().ip)).to.equal('10.0.0.1');
    await host.close({ timeout: 0 });
  });

  it('leaves nothing to speak from when it was the only one', async () => {
    const { clock, host, owner } = await contested(['10.0.0.1/24'], '10.0.0.1/24');
    const code = host.dial('tcp', '10.0.0.9:80').catch((error: OpError) => error.code);
    expect(await clock.run({ until: code })).to.equal('ENETUNREACH');
    await Promise.all([host.close({ timeout: 0 }), owner.close({ timeout: 0 })]);
  });
});
