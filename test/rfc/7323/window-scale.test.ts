/** RFC 7323 2: window scaling. */
import { expect } from 'chai';
import { SO_RCVBUF, SOL_SOCKET } from '../../../src/socket/constants.ts';
import { info } from '../../support/wire-info.ts';
import { connecting, established, listening, WirePeer } from '../../support/wire-peer.ts';

const offered = (wscale: number) => ({ options: { mss: 1460, wscale } });

describe('RFC 7323 2.2: the window scale option', () => {
  it('a SYN offers it, with the shift that the largest receive buffer needs', async () => {
    const t = new WirePeer();
    t.connect();
    // 33,554,432 / 2^9 = 65,536 does not fit in 16 bits; / 2^10 does.
    t.expect({ flags: 'S', options: { wscale: 10 } });
    const small = new WirePeer({ sysctl: { tcp_rmem: [4096, 65_535, 65_535], rmem_max: 65_535 } });
    small.connect();
    small.expect({ flags: 'S', options: { wscale: 0 } });
    const [one, most] = [131_070, 0x7fffffff].map(
      (size) => new WirePeer({ sysctl: { tcp_rmem: [4096, 65_535, size], rmem_max: 65_535 } }),
    );
    one?.connect();
    one?.expect({ options: { wscale: 1 } });
    most?.connect();
    // 2.3: 14 at the most.
    most?.expect({ options: { wscale: 14 } });
  });

  it('a SYN,ACK has it when the SYN had it, and only then', async () => {
    const t = listening(offered(0));
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    t.expect({ flags: 'SA', options: { wscale: 10 } });
    const without = listening();
    without.inject({ seq: 0, flags: 'S', options: without.synOptions });
    without.expect({ flags: 'SA', options: { wscale: undefined } });
  });

  it('tcp_window_scaling off: neither offered nor answered, and nothing is scaled', async () => {
    const active = new WirePeer({ sysctl: { tcp_window_scaling: false } });
    active.connect();
    active.expect({ flags: 'S', options: { wscale: undefined } });
    const t = await established({ ...offered(7), sysctl: { tcp_window_scaling: false } });
    t.inject({ win: 1000 });
    expect(info(t)).to.include({ tcpi_snd_wnd: 1000, tcpi_snd_wscale: 0, tcpi_rcv_wscale: 0, tcpi_options: 0 });
  });

  it('the window of a SYN and of a SYN,ACK is never scaled: ours', async () => {
    const t = listening({ ...offered(7), sysctl: { tcp_rmem: [4096, 131_072, 33_554_432] } });
    t.inject({ seq: 0, flags: 'S', options: t.synOptions });
    // 44 segments of 1460 are what fits into 16 bits.
    t.expect({ flags: 'SA', win: 64_240 });
    const active = new WirePeer({ sysctl: { tcp_rmem: [4096, 131_072, 33_554_432] } });
    active.connect();
    active.expect({ flags: 'S', win: 64_240 });
  });

  it("the window of a SYN,ACK is never scaled: the peer's", async () => {
    const t = await established({ active: true, ...offered(7), win: 5000 });
    expect(info(t).tcpi_snd_wnd).to.equal(5000);
    t.inject({ win: 5000 });
    expect(info(t).tcpi_snd_wnd).to.equal(5000 * 128);
  });

  it('nor that of the SYN,ACK of a simultaneous open', async () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460, wscale: 7 } });
    t.expect({ seq: 0, ack: 1, flags: 'SA' });
    t.inject({ seq: 0, ack: 1, flags: 'SA', win: 5000, options: { mss: 1460, wscale: 7 } });
    expect(t.state()).to.equal('ESTABLISHED');
    expect(info(t)).to.include({ tcpi_snd_wnd: 5000, tcpi_snd_wscale: 7 });
  });

  it('every other window is: those that come', async () => {
    const t = await established({ ...offered(3), win: 1000 });
    expect(info(t)).to.include({ tcpi_snd_wnd: 8000, tcpi_snd_wscale: 3, tcpi_options: 4 });
    t.write(20_000);
    expect(t.drain().reduce((sum, { length }) => sum + length, 0)).to.equal(8000);
  });

  it('and those that we send', async () => {
    const t = await established(offered(3));
    t.inject({ length: 1460 });
    const { win } = t.expect({ flags: 'A' });
    // Whole segments of half of a buffer of 8 MiB, and two more, in units of 1 KiB, rounded up.
    expect(win).to.equal(Math.ceil((4_194_304 - (4_194_304 % 1460) + 2 * 1460) / 1024));
  });

  it('one way only, when only one side offers: not at all', async () => {
    const t = await established({ active: true, win: 2000 });
    t.inject({ win: 2000 });
    expect(info(t)).to.include({ tcpi_snd_wnd: 2000, tcpi_rcv_wscale: 0, tcpi_snd_wscale: 0 });
    t.inject({ length: 1460 });
    const { win } = t.expect({ flags: 'A' });
    expect(win).to.equal(65_535);
  });

  it('2.3: a shift of more than 14 is taken for 14', async () => {
    for (const active of [false, true]) {
      const t = await established({ active, ...offered(15), win: 4 });
      t.inject({ win: 4 });
      expect(info(t)).to.include({ tcpi_snd_wscale: 14, tcpi_snd_wnd: 4 << 14 });
    }
  });

  it('a small receive buffer stays small, whatever the shift', async () => {
    const t = await established({ ...offered(0), sysctl: { tcp_rmem: [4096, 20_000, 33_554_432] } });
    t.inject({ length: 1460 });
    const { win } = t.expect({ flags: 'A' });
    // Of the 2304 bytes that Linux has such a segment take, 162 of 256 parts are payload: so it is of what is free.
    const free = Math.floor(((20_000 - 2304) * 162) / 256);
    expect(win << 10).to.be.within(free, free + 1023);
  });

  it('the shift is for the largest buffer that there may be: one that SO_RCVBUF sets does not grow (Linux)', async () => {
    for (const [buffer, shift] of [
      [30_000, 0],
      [100_000, 1],
      [200_000, 2],
    ] as const) {
      const t = await established({ ...offered(0), setup: (s) => s.setsockopt(SOL_SOCKET, SO_RCVBUF, buffer) });
      expect(info(t)).to.include({ tcpi_rcv_wscale: shift });
    }
  });

  it('a window beyond 64 KiB is used', async () => {
    const t = await established({ active: true, ...offered(8) });
    t.inject({ win: 65_535 });
    expect(info(t).tcpi_snd_wnd).to.equal(65_535 * 256);
  });
});
