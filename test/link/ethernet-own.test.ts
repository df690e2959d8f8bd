import { expect } from 'chai';
import { OwnAddresses } from '../../src/link/ethernet-own.ts';
import type { Clock } from '../../src/time/clock.ts';
import { IpAddress } from '../../src/wire/address.ts';

/** An address under trial whose one timer fires when the test says so. */
function trial() {
  let time = 0;
  let due = Infinity;
  let fire = () => {};
  const clock = {
    now: () => time,
    timer(callback: () => void) {
      fire = callback;
      return { set: (at: number) => (due = at), clear: () => (due = Infinity) };
    },
  } as unknown as Clock;
  const nothing = () => {};
  const actions = {
    joined: nothing,
    probe: nothing,
    announce: nothing,
    preferred: nothing,
    lost: nothing,
    conflict: nothing,
  };
  const entry = { address: IpAddress.parse('fd00::1') as IpAddress, bits: 64 };
  const own = new OwnAddresses(() => [entry], actions, { detection: true, defence: 'always' }, clock, {
    uint32: () => 0,
    float: () => 0,
  });
  own.list();
  return {
    own,
    state: () => own.list()[0]?.state,
    /** The timer fires, `late` ms after its time. */
    turn(late: number) {
      time = due + late;
      fire();
    },
  };
}

describe('RFC 4862 5.4: an address is tried out by a process that is away now and then', () => {
  it('is taken when nobody answered in time', () => {
    const { turn, state } = trial();
    turn(0);
    expect(state()).to.equal('tentative');
    turn(0);
    expect(state()).to.equal('preferred');
  });

  it('is not taken before the link was read, as often as the process is late', () => {
    const { own, turn, state } = trial();
    turn(0);
    for (let i = 0; i < 3; i++) {
      turn(200);
      expect(state()).to.equal('tentative');
    }
    const [address] = own.list();
    if (address !== undefined) own.contested(address, 0, 1);
    expect(state()).to.equal('duplicate');
  });

  it('is taken in the end by one that is always late', () => {
    const { turn, state } = trial();
    turn(200);
    let turns = 0;
    for (; state() === 'tentative' && turns < 100; turns++) turn(200);
    expect(turns).to.equal(21);
  });
});
