/** How fast the network delivers, as TCP_INFO tells it. */
import { expect } from 'chai';
import { establishedAfter, info } from '../support/wire-info.ts';
import type { WirePeer } from '../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

async function connected(): Promise<WirePeer> {
  return establishedAfter(100);
}

describe('the delivery rate', () => {
  it('nothing has been measured before anything was delivered', async () => {
    const t = await connected();
    expect(info(t)).to.include({ tcpi_delivery_rate: 0, tcpi_delivery_rate_app_limited: 0 });
  });

  it('is what was delivered, over the time that took', async () => {
    const t = await connected();
    t.write(10 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ seq: 1, ack: at(10) });
    expect(info(t).tcpi_delivery_rate).to.equal((10 * MSS * 1000) / 100);
  });

  it('acknowledgments that come in a bunch do not make it faster than sending was', async () => {
    const t = await connected();
    for (let i = 0; i < 5; i++) {
      t.write(MSS);
      await t.advance(30);
    }
    t.drain();
    // The first of them left 150 ms ago; all are acknowledged at once.
    t.inject({ seq: 1, ack: at(5) });
    expect(info(t).tcpi_delivery_rate).to.equal(Math.floor((5 * MSS * 1000) / 150));
  });

  it('nor do those that come faster than what they acknowledge was sent', async () => {
    const t = await connected();
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) {
        t.write(MSS);
        await t.advance(10);
      }
    };
    await send(5);
    await t.advance(90);
    t.inject({ seq: 1, ack: at(4) });
    await send(6);
    t.drain();
    t.inject({ seq: 1, ack: at(11) });
    // The last left 160 ms after the last of those before, and all seven came back within 60 ms.
    expect(info(t).tcpi_delivery_rate).to.equal((7 * MSS * 1000) / 160);
  });

  it('a sample that the application limited is marked, and counts only when it is faster', async () => {
    const t = await connected();
    t.write(10 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ seq: 1, ack: at(10) });
    const { tcpi_delivery_rate } = info(t);
    t.write(2 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ seq: 1, ack: at(12) });
    expect(info(t)).to.include({ tcpi_delivery_rate, tcpi_delivery_rate_app_limited: 0 });
    t.write(16 * MSS);
    await t.advance(100);
    t.drain();
    t.inject({ seq: 1, ack: at(28) });
    expect(info(t).tcpi_delivery_rate).to.equal((16 * MSS * 1000) / 100);
    expect(info(t).tcpi_delivery_rate_app_limited).to.equal(1);
    t.write(200 * MSS);
    for (let acked = 28, i = 0; i < 2; i++) {
      acked += t.drain().length;
      await t.advance(100);
      t.inject({ seq: 1, ack: at(acked) });
    }
    expect(info(t).tcpi_delivery_rate_app_limited).to.equal(0);
  });

  it('what SACK tells is delivered, and is not delivered again', async () => {
    const t = await establishedAfter(100, { options: { mss: MSS, sackOk: true } });
    t.write(10 * MSS);
    t.drain();
    await t.advance(100);
    t.inject({ seq: 1, ack: 1, options: { sack: [[at(1), at(10)]] } });
    expect(info(t).tcpi_delivery_rate).to.equal((9 * MSS * 1000) / 100);
    await t.advance(1);
    t.drain();
    await t.advance(100);
    t.inject({ seq: 1, ack: at(10) });
    // One segment since it was sent again, 101 ms after nine had been delivered.
    expect(info(t).tcpi_delivery_rate).to.equal(Math.floor((MSS * 1000) / 101));
  });
});
