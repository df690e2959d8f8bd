/** The windowed minimum of round trips, by itself: what is remembered, and for how long. Times in ms. */
import { expect } from 'chai';
import type { ControlBlock } from '../../src/tcp/control-block.ts';
import { UNKNOWN_RTT } from '../../src/tcp/control-block.ts';
import { noteLeastRoundTrip } from '../../src/tcp/least-round-trip.ts';

/** As much of a connection as it looks at, with a window of 100 s; samples are `[seconds, microseconds]`. */
function leastOf(...samples: readonly (readonly [number, number])[]): ControlBlock {
  const config = { tcp_min_rtt_wlen: 100 };
  const connection = { minRttUs: UNKNOWN_RTT, minRttAt: 0, nextLeastRtts: undefined, context: { config } };
  for (const [at, us] of samples) noteLeastRoundTrip(connection as unknown as ControlBlock, us, at * 1000);
  return connection as unknown as ControlBlock;
}

describe('the least round trip', () => {
  it('is the least, for as long as the window lasts', () => {
    expect(leastOf([0, 500]).minRttUs).to.equal(500);
    expect(leastOf([0, 500], [1, 900]).minRttUs).to.equal(500);
    expect(leastOf([0, 500], [1, 900], [2, 300]).minRttUs).to.equal(300);
    expect(leastOf([0, 500], [30, 900], [60, 800], [100, 900]).minRttUs).to.equal(500);
  });

  it('gives way to the best of what came in the rest of the window', () => {
    expect(leastOf([0, 500], [30, 900], [60, 800], [101, 950]).minRttUs).to.equal(800);
    expect(leastOf([0, 500], [30, 700], [60, 800], [101, 950]).minRttUs).to.equal(700);
    // The second best is too old by then, the third is not.
    expect(leastOf([0, 500], [30, 700], [60, 800], [99, 900], [140, 950]).minRttUs).to.equal(800);
  });

  it('after a silence longer than the window is the first that comes', () => {
    expect(leastOf([0, 500], [101, 900]).minRttUs).to.equal(900);
    expect(leastOf([0, 500], [30, 700], [60, 800], [170, 950]).minRttUs).to.equal(950);
  });

  it('one sample of a quarter of the window is all that the best needs at first', () => {
    expect(leastOf([0, 500], [25, 900]).nextLeastRtts).to.equal(undefined);
    expect(leastOf([0, 500], [25, 900], [26, 900]).nextLeastRtts).to.include({ second: 900, secondAt: 26_000 });
    expect(leastOf([0, 500], [26, 900], [27, 400]).nextLeastRtts).to.equal(undefined);
  });

  it('the later candidates are the least of their parts of the window', () => {
    expect(leastOf([0, 500], [26, 900], [27, 800]).nextLeastRtts).to.include({ second: 800, third: 800 });
    const { nextLeastRtts } = leastOf([0, 500], [26, 800], [51, 950], [60, 900]);
    expect(nextLeastRtts).to.include({ second: 800, secondAt: 26_000, third: 900, thirdAt: 60_000 });
  });
});
