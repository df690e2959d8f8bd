/** RFC 6946 4, RFC 8200 4.5: a fragment that is a whole packet. */
import { expect } from 'chai';
import { FragmentBench } from '../../support/wire-fragment.ts';

describe('RFC 6946 4: atomic fragments', () => {
  it('are packets by themselves, even beside fragments with the same identification', () => {
    const t = new FragmentBench(6);
    const [ping, atomic] = [t.ping(2000), t.ping(100)];
    const spec = { identification: ping.identification };
    t.send(t.piece(ping, 0, 1000), t.piece(atomic, 0, 100, spec));
    t.expectEcho(atomic);
    t.send(t.piece(atomic, 0, 100, spec));
    t.expectEcho(atomic);
    t.send(t.piece(ping, 1000), t.piece(atomic, 0, 100, spec));
    const [first, second] = t.seen();
    expect([first?.payload.length, second?.payload.length]).to.deep.equal([2000, 100]);
    t.close();
  });

  it('they need no memory, and none is refused for want of it', () => {
    const t = new FragmentBench(6, { sysctl: { ip6frag_high_thresh: 0 } });
    const ping = t.ping(100);
    t.send(t.piece(ping, 0));
    t.expectEcho(ping);
    t.expectEmpty();
  });
});
