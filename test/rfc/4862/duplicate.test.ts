import { expect } from 'chai';
import { ipPacket, ndFrame, PEER, US } from '../../support/ethernet-frames.ts';
import { type EthernetWire, ethernetWire } from '../../support/ethernet-wire.ts';

const TRIAL = 'us>33:33:ff:00:00:01 ns fd00::1 ::>ff02::1:ff00:1';
const SOLICITED = 'ff02::1:ff00:1';

function trying(): EthernetWire {
  const random = { uint32: () => 1, float: () => 0.5 };
  return ethernetWire({ addresses: ['fd00::1/64'], duplicateDetection: true, random });
}

function state(wire: EthernetWire): string | undefined {
  return wire.link.addresses()[0]?.state;
}

describe('RFC 4862 5.4: duplicate address detection', () => {
  it('5.4.2: one solicitation from nobody, after up to a second; 5.4: a second later the address is used', async () => {
    const wire = trying();
    wire.down(ipPacket('fd00::1', 'ff02::1', 7));
    await wire.clock.advance(499);
    expect(wire.said()).to.deep.equal([]);
    await wire.clock.advance(1);
    expect(wire.said()).to.deep.equal([TRIAL]);
    await wire.clock.advance(999);
    expect([wire.said(), state(wire)]).to.deep.equal([[], 'tentative']);
    await wire.clock.advance(1);
    expect(wire.said()).to.deep.equal(['us>33:33:00:00:00:01 ip fd00::1>ff02::1 #7']);
    expect([state(wire), wire.host.slab.live]).to.deep.equal(['preferred', 0]);
    await wire.clock.advance(60_000);
    expect(wire.said()).to.deep.equal([]);
  });

  it('5.4.3: a solicitation for a tentative address from somebody is not answered, and ends nothing', async () => {
    const wire = trying();
    wire.arrives(
      ndFrame({ type: 'ns', source: 'fd00::2', destination: SOLICITED, target: 'fd00::1', option: [1, PEER] }),
    );
    await wire.clock.advance(2000);
    expect([wire.said(), state(wire)]).to.deep.equal([[TRIAL], 'preferred']);
  });

  for (const [clause, what, frame] of [
    [
      '5.4.3',
      'a solicitation from nobody',
      ndFrame({ type: 'ns', source: '::', destination: SOLICITED, target: 'fd00::1' }),
    ],
    [
      '5.4.4',
      'an advertisement',
      ndFrame({
        type: 'na',
        source: 'fd00::1',
        destination: 'ff02::1',
        target: 'fd00::1',
        flags: 'O',
        option: [2, PEER],
      }),
    ],
  ] as const) {
    it(`${clause}: ${what} for it: another host has the address, and it is not used`, async () => {
      const wire = trying();
      wire.down(ipPacket('fd00::1', 'fd00::2', 1));
      await wire.clock.advance(1400);
      wire.arrives(frame);
      await wire.clock.advance(0);
      expect(wire.host.conflicts.map(({ address, ...rest }) => ({ address: String(address), ...rest }))).to.deep.equal([
        { address: 'fd00::1', hardwareAddress: PEER, kept: false },
      ]);
      wire.said();
      wire.down(ipPacket('fd00::1', 'fd00::2', 1));
      wire.arrives(
        ndFrame({ type: 'ns', source: 'fd00::2', destination: SOLICITED, target: 'fd00::1', option: [1, PEER] }),
      );
      await wire.clock.advance(60_000);
      expect([wire.said(), state(wire), wire.host.slab.live]).to.deep.equal([[], 'duplicate', 0]);
    });
  }

  it('5.4.3: our own solicitation, given back by a repeater, is nobody else', async () => {
    const wire = trying();
    wire.arrives(ndFrame({ type: 'ns', source: '::', destination: SOLICITED, target: 'fd00::1', from: US }));
    await wire.clock.advance(1500);
    expect(state(wire)).to.equal('preferred');
  });

  it('5.4: an address in use answers who tries it out, to all nodes', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame({ type: 'ns', source: '::', destination: SOLICITED, target: 'fd00::1' }));
    expect(wire.said()).to.deep.equal(['us>33:33:00:00:00:01 na fd00::1 fd00::1>ff02::1 O us']);
    expect(wire.neighbours()).to.deep.equal([]);
  });

  it('5.4.4: an advertisement for an address in use is told, and the address is kept, as Linux does', async () => {
    const wire = ethernetWire();
    wire.arrives(
      ndFrame({ type: 'na', source: 'fd00::1', destination: 'ff02::1', target: 'fd00::1', option: [2, PEER] }),
    );
    await wire.clock.advance(0);
    expect(wire.host.conflicts.map(({ kept }) => kept)).to.deep.equal([true]);
    expect([wire.said(), wire.neighbours(), wire.link.statistics.conflicts]).to.deep.equal([[], [], 1]);
  });

  it('each address is tried out, one that was there before is left alone', async () => {
    const wire = trying();
    await wire.clock.advance(2000);
    wire.said();
    wire.host.addresses.push({ ...(wire.host.addresses[0] as (typeof wire.host.addresses)[0]) });
    wire.down(ipPacket('fd00::1', 'ff02::1', 1));
    await wire.clock.advance(2000);
    expect(wire.said()).to.deep.equal(['us>33:33:00:00:00:01 ip fd00::1>ff02::1 #1', TRIAL]);
  });
});
