/** RFC 1812 5.2.7.1 and RFC 4861 7.2.2, for a router on an Ethernet: the host beyond it that does not answer. */
import { expect } from 'chai';
import { createHost } from '../../../src/host.ts';
import { createEthernet } from '../../../src/link/ethernet.ts';
import { createPipe } from '../../../src/link/pipe.ts';
import { createSwitch } from '../../../src/link/switch.ts';
import type { OpError } from '../../../src/net/op-error.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';

/** A host on a pipe to a router, whose other link is an Ethernet with one neighbour. */
function network() {
  const clock = new VirtualClock();
  const lan = createSwitch({ clock, seed: 1 });
  const [near, far] = createPipe();
  const ethernet = (seed: number) => createEthernet(lan.port(), { duplicateDetection: false, seed });
  const host = createHost({
    link: near,
    address: ['10.1.0.7/24', 'fd01::7/64'],
    routes: [
      { destination: '0.0.0.0/0', via: '10.1.0.1' },
      { destination: '::/0', via: 'fd01::1' },
    ],
    clock,
    seed: 1,
  });
  const router = createHost({
    links: [
      { link: far, address: ['10.1.0.1/24', 'fd01::1/64'] },
      { link: ethernet(2), address: ['10.2.0.1/24', 'fd02::1/64'] },
    ],
    forwarding: true,
    clock,
    seed: 2,
  });
  const onLan = ethernet(3);
  const neighbour = createHost({
    link: onLan,
    address: ['10.2.0.7/24', 'fd02::7/64'],
    routes: [
      { destination: '0.0.0.0/0', via: '10.2.0.1' },
      { destination: '::/0', via: 'fd02::1' },
    ],
    clock,
    seed: 3,
  });
  const close = () => clock.run({ until: Promise.all([host.close(), router.close(), neighbour.close()]) });
  return { clock, host, router, neighbour, onLan, close };
}

describe('RFC 1812 5.2.7.1, RFC 4861 7.2.2: a next hop that does not answer', () => {
  it('its sender is told: host unreachable, address unreachable', async () => {
    const { clock, host, router, close } = network();
    for (const [i, address] of ['10.2.0.9:80', '[fd02::9]:80'].entries()) {
      const begun = clock.now();
      const told = await clock.run({
        until: host.dial('tcp', address).then(
          () => '',
          (error: OpError) => error.message,
        ),
      });
      expect(told).to.equal(`dial tcp ${address}: connect: no route to host`);
      expect(clock.now() - begun).to.equal(3000);
      const { IcmpOutDestUnreachs, Icmp6OutDestUnreachs } = router.counters;
      expect([IcmpOutDestUnreachs > 0, Icmp6OutDestUnreachs > 0]).to.deep.equal([true, i === 1]);
    }
    await close();
  });

  it('one that answers gets what waited', async () => {
    const { clock, host, neighbour, onLan, close } = network();
    for (const address of ['10.2.0.7:80', '[fd02::7]:80']) {
      await neighbour.listen('tcp', address);
      const begun = clock.now();
      await clock.run({ until: host.dial('tcp', address) });
      expect(clock.now()).to.equal(begun);
    }
    // RFC 4861 7.2.4: to its neighbour it said that it is a router.
    const routers = onLan.neighbours().filter(({ isRouter }) => isRouter);
    expect(routers.map(({ address }) => String(address))).to.deep.equal(['fd02::1']);
    await close();
  });
});
