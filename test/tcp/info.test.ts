/** RFC 9293 3.10.6, STATUS, as Linux's TCP_INFO. */
import { expect } from 'chai';
import { MORE_HEADER } from '../support/wire-family.ts';
import { establishedAfter, info } from '../support/wire-info.ts';
import { connecting, established } from '../support/wire-peer.ts';

describe('TCP_INFO', () => {
  it('states have the numbers of Linux', async () => {
    expect(info(connecting()).tcpi_state).to.equal(2);
    const t = await established();
    expect(info(t).tcpi_state).to.equal(1);
    t.socket.shutdown(1);
    t.drain();
    expect(info(t).tcpi_state).to.equal(4);
    t.inject({ ack: 2 });
    expect(info(t).tcpi_state).to.equal(5);
    t.inject({ flags: 'FA' });
    t.drain();
    expect(info(t).tcpi_state).to.equal(6);
    const other = await established();
    other.inject({ flags: 'FA' });
    expect(info(other).tcpi_state).to.equal(8);
    other.socket.shutdown(1);
    other.drain();
    expect(info(other).tcpi_state).to.equal(9);
    other.inject({ flags: 'R' });
    expect(info(other).tcpi_state).to.equal(7);
    const both = await established();
    both.socket.shutdown(1);
    both.drain();
    both.inject({ ack: 1, flags: 'FA' });
    both.drain();
    expect(info(both).tcpi_state).to.equal(11);
  });

  it('options, shifts and sizes are what was agreed on', async () => {
    const t = await established({ options: { mss: 1400, sackOk: true, ts: [1, 0], wscale: 7 } });
    expect(info(t)).to.include({
      tcpi_options: 7,
      tcpi_snd_wscale: 7,
      tcpi_rcv_wscale: 10,
      tcpi_snd_mss: 1388,
      tcpi_advmss: 1448,
      tcpi_pmtu: 1500 + MORE_HEADER,
      tcpi_rcv_mss: 536,
    });
    t.inject({ length: 1388 });
    t.drain();
    expect(info(t).tcpi_rcv_mss).to.equal(1388);
  });

  it('counts what is out and what waits, and when things happened last', async () => {
    const t = await establishedAfter(100, { options: { mss: 1000, sackOk: true }, win: 5000 });
    t.write(8000);
    t.drain();
    await t.advance(30);
    t.inject({ ack: 1, length: 10, options: { sack: [[1001, 4001]] } });
    t.drain();
    expect(info(t)).to.include({
      tcpi_unacked: 5,
      tcpi_sacked: 3,
      tcpi_lost: 1,
      tcpi_retrans: 1,
      tcpi_total_retrans: 1,
      tcpi_ca_state: 3,
      tcpi_notsent_bytes: 3000,
      tcpi_snd_wnd: 5000,
      tcpi_snd_cwnd: 4,
      tcpi_snd_ssthresh: 5,
    });
    await t.advance(20);
    expect(info(t)).to.include({ tcpi_last_data_sent: 50, tcpi_last_data_recv: 20, tcpi_last_ack_recv: 20 });
  });

  it('the window that we offer', async () => {
    const t = await established({ setup: (socket) => socket.setsockopt(1, 8, 10_000) });
    expect(info(t).tcpi_rcv_wnd).to.equal(8760);
    t.inject({ length: 1000 });
    t.drain();
    expect(info(t).tcpi_rcv_wnd).to.equal(7760);
  });
});
