/** RFC 6093: urgent data, what the pointer means and how many bytes of it are out of line. */
import { expect } from 'chai';
import { MSG_OOB, SIOCATMARK, SO_OOBINLINE, SOL_SOCKET } from '../../../src/socket/constants.ts';
import { EINVAL } from '../../../src/socket/errno.ts';
import { established, type WirePeer } from '../../support/wire-peer.ts';

/** recv(MSG_OOB): the byte as a character, or a negated errno. */
function outOfBand(t: WirePeer): string | number {
  const into = new Uint8Array(4);
  const got = t.socket.recv(into, MSG_OOB);
  return got < 0 ? got : new TextDecoder().decode(into.subarray(0, got));
}

describe('RFC 6093 3.1: urgent indications', () => {
  it('the last byte of urgent data is out of the stream, and read with MSG_OOB, once', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'PAU', urg: 3, data: 'abcd' });
    expect(outOfBand(t)).to.equal('c');
    expect(outOfBand(t)).to.equal(-EINVAL);
    // The reader stops before its place.
    expect(t.read()).to.equal('ab');
    expect(t.socket.ioctl(SIOCATMARK)).to.equal(1);
    expect(t.read()).to.equal('d');
  });

  it('RFC 6093 6: with SO_OOBINLINE it stays in the stream', async () => {
    const t = await established();
    expect(t.socket.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1)).to.equal(0);
    t.inject({ seq: 1, flags: 'PAU', urg: 3, data: 'abcd' });
    expect(outOfBand(t)).to.equal(-EINVAL);
    expect(t.read()).to.equal('ab');
    expect(t.socket.ioctl(SIOCATMARK)).to.equal(1);
    expect(t.read()).to.equal('cd');
  });
});

describe('RFC 6093 3.2: tcp_stdurg', () => {
  it('changes what a pointer that comes means, not what one that leaves does', async () => {
    const t = await established({ sysctl: { tcp_stdurg: true } });
    t.inject({ seq: 1, flags: 'PAU', urg: 3, data: 'abcd' });
    expect(outOfBand(t)).to.equal('d');
    t.drain();
    t.write('xy', MSG_OOB);
    t.expect({ data: 'xy', urg: 2 });
  });
});

describe('RFC 6093 3.3: one byte is kept', () => {
  it('a second announcement takes the place of the first, whose byte is lost', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'PAU', urg: 1, data: 'a' });
    t.inject({ seq: 2, flags: 'PAU', urg: 2, data: 'bc' });
    expect(outOfBand(t)).to.equal('c');
    expect(outOfBand(t)).to.equal(-EINVAL);
  });
});

describe('RFC 6093 3.4: a middlebox that clears urgent indications', () => {
  it('leaves the byte in the stream', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'PA', data: 'abcd' });
    expect(outOfBand(t)).to.equal(-EINVAL);
    expect(t.read()).to.equal('abcd');
  });
});

describe('RFC 6093 4: the pointer points behind urgent data', () => {
  it('of what is sent', async () => {
    const t = await established();
    t.write('abc', MSG_OOB);
    t.expect({ data: 'abc', urg: 3 });
  });

  it('of what comes, and in a later segment likewise', async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'PAU', urg: 5, data: 'ab' });
    expect(outOfBand(t)).to.equal(-11);
    t.inject({ seq: 3, flags: 'PA', data: 'cdef' });
    expect(outOfBand(t)).to.equal('e');
  });
});
