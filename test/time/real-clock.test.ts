import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { RealClock } from '../../src/time/real-clock.ts';

/** Runs code with a `clock` in a process of its own, without the globals named in `missing`; returns what it printed before it ended by itself. */
function inProcess(code: string, missing: readonly string[] = []): string {
  const module = new URL('../../src/time/real-clock.js', import.meta.url).href;
  const source = `for (const name of ${JSON.stringify(missing)}) delete globalThis[name];
    const { RealClock } = await import(${JSON.stringify(module)}); const clock = new RealClock(); ${code}`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return stdout;
}

describe('RealClock', () => {
  it('never fires early, and in order of time, then of arming', async () => {
    const clock = new RealClock();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const start = clock.now();
      const timer = (name: string, at: number) =>
        clock
          .timer(() => {
            expect(clock.now()).to.be.at.least(at);
            seen.push(name);
            if (name === 'last') resolve();
          })
          .set(at);
      timer('last', start + 9.75);
      timer('b', start + 4.5);
      timer('c', start + 4.5);
      timer('a', start + 1.25);
    });
    expect(seen).to.deep.equal(['a', 'b', 'c', 'last']);
  });

  it('a timer that was moved later or cleared does not fire at its old time', async () => {
    const clock = new RealClock();
    const start = clock.now();
    await new Promise<void>((resolve, reject) => {
      const moved = clock.timer(() => (clock.now() >= start + 8 ? resolve() : reject(new Error('early'))));
      const cleared = clock.timer(() => reject(new Error('cleared')));
      moved.set(start + 2);
      cleared.set(start + 3);
      moved.set(start + 8);
      cleared.clear();
    });
  });

  it('defers to the end of the turn, in order', async () => {
    const clock = new RealClock();
    const seen: string[] = [];
    clock.defer(() => seen.push('a'));
    clock.defer(() => seen.push('b'));
    void Promise.resolve().then(() => seen.push('promise'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).to.deep.equal(['promise', 'a', 'b']);
  });

  it('a deferred callback that throws does not take the others with it', () => {
    expect(
      inProcess(`process.on('uncaughtException', (error) => console.log(error.message));
      clock.defer(() => { throw new Error('boom'); });
      clock.defer(() => console.log('second'));
      clock.defer(() => console.log('third'));`),
    ).to.equal('boom\nsecond\nthird\n');
  });

  it('defers without setImmediate, as in a browser, with and without MessageChannel', () => {
    for (const missing of ['setImmediate', 'setImmediate MessageChannel']) {
      const printed = inProcess(
        `console.log(Math.sign(clock.now())); clock.defer(() => console.log('a'));
        clock.defer(() => { console.log('b'); clock.defer(() => { console.log('c'); process.exit(0); }); });
        Promise.resolve().then(() => console.log('promise'));`,
        missing.split(' '),
      );
      expect(printed).to.equal('1\npromise\na\nb\nc\n');
    }
  });

  it('its wall time is the system time', () => {
    expect(new RealClock().wallNow()).to.be.closeTo(Date.now(), 5000);
  });

  it('keeps the process alive for foreground timers and holds only', () => {
    expect(
      inProcess(`clock.timer(() => console.log('background'), true).set(clock.now() + 3600000);
      clock.timer(() => console.log('front')).set(clock.now() + 30);`),
    ).to.equal('front\n');
    expect(
      inProcess(
        `const front = clock.timer(() => console.log('front')); front.set(clock.now() + 3600000); front.clear();`,
      ),
    ).to.equal('');
    expect(
      inProcess(`clock.hold(); clock.unhold(); clock.hold(); clock.hold(); clock.unhold();
      setTimeout(() => { console.log('held'); clock.unhold(); }, 50).unref();`),
    ).to.equal('held\n');
  });

  it('says what it needs', () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'performance') as PropertyDescriptor;
    Object.defineProperty(globalThis, 'performance', { value: undefined, configurable: true });
    try {
      expect(() => new RealClock()).to.throw(Error, /no performance.now\(\) here: give a clock/);
    } finally {
      Object.defineProperty(globalThis, 'performance', own);
    }
  });
});
