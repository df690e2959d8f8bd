import { expect } from 'chai';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection');
}

describe('VirtualClock', () => {
  it('stands still by itself, and ends an advance exactly at its target', async () => {
    const clock = new VirtualClock({ start: 1000, wallStart: 5000 });
    expect([clock.now(), clock.wallNow()]).to.deep.equal([1000, 5000]);
    await clock.advance(0.25);
    expect([clock.now(), clock.wallNow()]).to.deep.equal([1000.25, 5000.25]);
  });

  it('fires at exact times, ties in arming order, moved timers at their new place', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const timer = (name: string, background = false) =>
      clock.timer(() => seen.push(`${name}@${clock.now()}`), background);
    const [a, b, c, d] = [timer('a'), timer('b'), timer('c', true), timer('d')] as const;
    a.set(10);
    b.set(10);
    c.set(2.5);
    d.set(1);
    a.set(10);
    d.set(20);
    d.clear();
    await clock.advance(9);
    expect(seen).to.deep.equal(['c@2.5']);
    expect(clock.pending).to.deep.equal({ foreground: 2, background: 0, deferred: 0, next: 10, held: 0 });
    await clock.advance(100);
    expect(seen).to.deep.equal(['c@2.5', 'b@10', 'a@10']);
    expect(clock.now()).to.equal(109);
  });

  it('lets deferred work and chains of promises end before time goes on', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const first = clock.timer(() => {
      clock.defer(() => {
        seen.push(`deferred@${clock.now()}`);
        clock.defer(() => seen.push(`deferred again@${clock.now()}`));
      });
      void (async () => {
        for (let i = 0; i < 20; i++) await undefined;
        seen.push(`promise@${clock.now()}`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`immediate@${clock.now()}`);
        late.set(clock.now());
      })();
    });
    const late = clock.timer(() => seen.push(`late@${clock.now()}`));
    clock.timer(() => seen.push('2')).set(2);
    first.set(1);
    await clock.advance(5);
    expect(seen).to.deep.equal(['promise@1', 'deferred@1', 'immediate@1', 'deferred again@1', 'late@1', '2']);
  });

  it('waits for a user who awaits a macrotask', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    clock
      .timer(async () => {
        await undefined;
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(clock.now());
      })
      .set(1);
    clock.timer(() => {}).set(2);
    await clock.run();
    expect(seen).to.deep.equal([1]);
  });

  it('a timer armed for a time gone by fires at once; cleared by an earlier one it does not fire', async () => {
    const clock = new VirtualClock({ start: 100 });
    const seen: string[] = [];
    const victim = clock.timer(() => seen.push('victim'));
    clock
      .timer(() => {
        victim.clear();
        clock.timer(() => seen.push(`past@${clock.now()}`)).set(3);
      })
      .set(110);
    victim.set(110);
    await clock.advance(10);
    expect(seen).to.deep.equal(['past@110']);
    expect(clock.pending.foreground).to.equal(0);
  });

  it('a timer that re-arms itself within its own instant waits its turn', async () => {
    const clock = new VirtualClock();
    let times = 0;
    const again = clock.timer(() => {
      if (++times < 5) again.set(clock.now());
    });
    again.set(1);
    await clock.advance(1);
    expect(times).to.equal(5);
  });

  it('timers that re-arm for their own instant forever are found out', async () => {
    const clock = new VirtualClock();
    const again = clock.timer(() => again.set(0));
    again.set(1);
    expect((await rejection(clock.advance(10))).message).to.include('time stands still at t=1 ms');
  });

  it('defer runs in order, and without advance', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) clock.defer(() => seen.push(i));
    clock.defer(() => clock.defer(() => seen.push(9)));
    clock.defer(() => seen.push(3));
    expect(clock.pending.deferred).to.equal(5);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).to.deep.equal([0, 1, 2, 3]);
    await clock.advance(0);
    expect(seen).to.deep.equal([0, 1, 2, 3, 9]);
  });

  describe('run', () => {
    it('gives what `until` gives, at the time it settles', async () => {
      const clock = new VirtualClock();
      const until = new Promise<string>((resolve) => clock.timer(() => resolve('done')).set(7));
      clock.timer(() => {}).set(8);
      expect(await clock.run({ until })).to.equal('done');
      expect(clock.now()).to.equal(7);
      expect((await rejection(clock.run({ until: Promise.reject(new Error('no luck')) }))).message).to.equal('no luck');
      expect(clock.now()).to.equal(7);
    });

    it('without `until` ends when only background timers are left; those due before that fire', async () => {
      const clock = new VirtualClock();
      const seen: string[] = [];
      clock.timer(() => seen.push('early'), true).set(3);
      clock.timer(() => seen.push('late'), true).set(30);
      clock.timer(() => seen.push('front')).set(10);
      await clock.run();
      expect(seen).to.deep.equal(['early', 'front']);
      expect(clock.now()).to.equal(10);
    });

    it('says so when nothing is left that could settle `until`', async () => {
      const clock = new VirtualClock({ start: 5 });
      const forever = new Promise<never>(() => {});
      expect((await rejection(clock.run({ until: forever }))).message).to.match(
        /nothing left to happen at t=5 ms and `until` has not settled$/,
      );
      clock.timer(() => {}, true).set(10);
      clock.hold();
      const { message } = await rejection(clock.run({ until: forever }));
      expect(message).to.include('nothing but 1 background timer(s)');
      expect(message).to.include('1 call(s) wait');
      expect(clock.now()).to.equal(5);
    });

    it('stops at its limit', async () => {
      const clock = new VirtualClock();
      const tick = clock.timer(() => tick.set(clock.now() + 1000));
      tick.set(0);
      expect((await rejection(clock.run({ limit: 5500 }))).message).to.include(
        'the limit of 5500 ms is reached at t=5000 ms',
      );
    });

    it('hands out what a timer throws, and can go on', async () => {
      const clock = new VirtualClock();
      let fired = false;
      clock
        .timer(() => {
          throw new Error('boom');
        })
        .set(1);
      clock
        .timer(() => {
          fired = true;
        })
        .set(1);
      expect((await rejection(clock.run())).message).to.equal('boom');
      await clock.run();
      expect(fired).to.equal(true);
    });
  });

  it('refuses wrong use', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(1);
    expect((await rejection(clock.run())).message).to.equal(
      'VirtualClock.run: advance() has not ended yet; await it first',
    );
    await first;
    expect(await rejection(clock.advance(-1))).to.be.instanceOf(RangeError);
    expect(await rejection(clock.run({ limit: Number.NaN }))).to.be.instanceOf(RangeError);
    expect(() => clock.timer(() => {}).set(Number.NaN)).to.throw(RangeError, 'timer.set');
    expect(() => clock.unhold()).to.throw(Error, 'without a hold()');
    expect(() => new VirtualClock({ start: Number.NaN })).to.throw(RangeError, 'start');
  });
});
