/** TCP_INFO's times: what a connection with something to send waits for. The round trip is 100 ms; microseconds. */
import { expect } from 'chai';
import { POLLOUT, SO_SNDBUF, SOL_SOCKET } from '../../src/socket/constants.ts';
import { establishedAfter, info } from '../support/wire-info.ts';
import { at, MSS } from '../support/wire-out.ts';

describe('tcpi_busy_time', () => {
  it('runs while something is queued or out, and is no time of idleness', async () => {
    const t = await establishedAfter(100);
    await t.advance(50);
    expect(info(t).tcpi_busy_time).to.equal(0);
    t.write(MSS);
    t.drain();
    await t.advance(40);
    expect(info(t).tcpi_busy_time).to.equal(40_000);
    await t.advance(60);
    t.inject({ ack: at(1) });
    await t.advance(1000);
    expect(info(t)).to.include({ tcpi_busy_time: 100_000, tcpi_rwnd_limited: 0, tcpi_sndbuf_limited: 0 });
  });

  it("tcpi_rwnd_limited: of that, while the peer's window has no room", async () => {
    const t = await establishedAfter(100, { win: 2 * MSS });
    t.write(4 * MSS);
    expect(t.drain()).to.have.length(2);
    await t.advance(100);
    expect(info(t)).to.include({ tcpi_busy_time: 100_000, tcpi_rwnd_limited: 100_000 });
    t.inject({ ack: at(2), win: 65_535 });
    t.drain();
    await t.advance(100);
    expect(info(t)).to.include({ tcpi_busy_time: 200_000, tcpi_rwnd_limited: 100_000 });
  });

  it('tcpi_sndbuf_limited: of that, while all is sent and the user would write more if there were room', async () => {
    const t = await establishedAfter(100, { setup: (socket) => void socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4000) });
    t.write(10 * MSS);
    // Somebody waits for room.
    expect(t.socket.poll() & POLLOUT).to.equal(0);
    expect(t.drain()).to.have.length(10);
    await t.advance(100);
    expect(info(t)).to.include({ tcpi_busy_time: 100_000, tcpi_rwnd_limited: 0, tcpi_sndbuf_limited: 100_000 });
    // One is still out, and there is room.
    t.inject({ ack: at(9) });
    await t.advance(10);
    expect(info(t)).to.include({ tcpi_busy_time: 110_000, tcpi_sndbuf_limited: 100_000 });
    t.inject({ ack: at(10) });
    t.write(100);
    t.drain();
    await t.advance(50);
    expect(info(t)).to.include({ tcpi_busy_time: 160_000, tcpi_sndbuf_limited: 100_000 });
  });
});
