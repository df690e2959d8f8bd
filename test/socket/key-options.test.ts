import { expect } from 'chai';
import {
  IPPROTO_TCP,
  TCP_AO_ADD_KEY,
  TCP_AO_DEL_KEY,
  TCP_AO_GET_KEYS,
  TCP_AO_INFO,
  TCP_AO_KEYF_EXCLUDE_OPT,
  TCP_MD5SIG,
} from '../../src/socket/constants.ts';
import { errnoName } from '../../src/socket/errno.ts';
import type { AoKeyStatus } from '../../src/socket/key-values.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { ANYBODY, AO_KEY, AO_NEXT, addAoKey, addition, setMd5Key, withAo } from '../support/wire-keys.ts';
import { established, listening, PEER, SERVICE } from '../support/wire-peer.ts';

const OTHERS = IpAddress.parse('10.0.1.0') as IpAddress;

function set(socket: Socket, option: number, value: unknown): string {
  const result = socket.setsockopt(IPPROTO_TCP, option, value as never);
  return result < 0 ? errnoName(-result) : 'ok';
}

function add(socket: Socket, more: object = {}): string {
  return set(socket, TCP_AO_ADD_KEY, { ...addition(AO_KEY), ...more });
}

const fresh = () => listening().newSocket();
const peer = (sndid: number, rcvid: number) => ({ addr: PEER, prefix: 32, sndid, rcvid });

describe('keys of TCP-AO as socket options, as Linux has them', () => {
  it('TCP_AO_ADD_KEY: EINVAL for what no key can be', () => {
    const socket = fresh();
    for (const wrong of [
      { addr: '10.0.0.2' },
      { addr: IpAddress.parse('::1') },
      { prefix: 33 },
      { prefix: -1 },
      { prefix: 24 },
      { prefix: 0 },
      { addr: ANYBODY, prefix: 8 },
      { sndid: 256 },
      { rcvid: -1 },
      { sndid: 1.5 },
      { key: new Uint8Array(81) },
      { key: 'text' },
      { maclen: 21 },
      { alg_name: 'cmac(aes128)', maclen: 17 },
      { keyflags: 1 },
      { keyflags: 4 },
    ]) {
      expect(add(socket, wrong), JSON.stringify(wrong)).to.equal('EINVAL');
    }
    for (const value of [1, null, 'x', {}]) expect(set(socket, TCP_AO_ADD_KEY, value)).to.equal('EINVAL');
    expect(socket.getsockopt(IPPROTO_TCP, TCP_AO_INFO)).to.equal(-2);
  });

  it('TCP_AO_ADD_KEY: ENOENT for an algorithm that there is not, EMSGSIZE for a MAC that leaves a SYN no room', () => {
    const socket = fresh();
    expect(add(socket, { alg_name: 'hmac(sha256)' })).to.equal('ENOENT');
    expect(add(socket, { maclen: 17 })).to.equal('EMSGSIZE');
    expect(add(socket, { maclen: 16 })).to.equal('ok');
  });

  it('RFC 5925 3.1: IDs must not overlap where their connections do: EEXIST', () => {
    const socket = fresh();
    expect(add(socket)).to.equal('ok');
    expect(add(socket)).to.equal('EEXIST');
    expect(add(socket, { sndid: 5 })).to.equal('EEXIST');
    expect(add(socket, { rcvid: 5 })).to.equal('EEXIST');
    expect(add(socket, { addr: ANYBODY, prefix: 0 })).to.equal('EEXIST');
    expect(add(socket, { addr: IpAddress.parse('10.0.0.0'), prefix: 24, sndid: 5 })).to.equal('EEXIST');
    expect(add(socket, { addr: OTHERS, prefix: 24 })).to.equal('ok');
    expect(add(socket, { sndid: 5, rcvid: 5 })).to.equal('ok');
  });

  it('RFC 5925 8.2: not with TCP-MD5 for one peer: EKEYREJECTED', () => {
    const socket = fresh();
    expect(setMd5Key(socket, 'x')).to.equal(0);
    expect(add(socket)).to.equal('EKEYREJECTED');
    expect(add(socket, { addr: OTHERS, prefix: 24 })).to.equal('ok');
    expect(setMd5Key(socket, 'x', IpAddress.parse('10.0.1.9'))).to.equal(-129);
    expect(setMd5Key(socket, 'x', IpAddress.parse('10.0.2.9'))).to.equal(0);
    expect(set(socket, TCP_AO_INFO, { ao_required: true })).to.equal('ok');
    expect(setMd5Key(socket, 'x', IpAddress.parse('10.0.2.10'))).to.equal(-129);
  });

  it('connect: EKEYREJECTED when there are keys, but none for the peer, or of both kinds', () => {
    const t = listening();
    const to = { address: PEER, port: SERVICE };
    const other = t.newSocket();
    expect(add(other, { addr: OTHERS, prefix: 24 })).to.equal('ok');
    expect(other.connect(to)).to.equal(-129);
    const both = t.newSocket();
    expect(add(both, { addr: IpAddress.parse('10.0.0.0'), prefix: 24 })).to.equal('ok');
    // A wider network: neither is in the way of the other until a peer is in both.
    const wide = { address: IpAddress.parse('0.0.0.0') as IpAddress, prefixlen: 0, key: Uint8Array.of(1) };
    expect(set(both, 32, wide)).to.equal('ok');
    expect(both.connect(to)).to.equal(-129);
    const md5 = t.newSocket();
    expect(add(md5, { addr: OTHERS, prefix: 24 })).to.equal('ok');
    expect(setMd5Key(md5, 'x')).to.equal(0);
    expect(md5.connect(to)).to.equal(-115);
  });

  it('on a connection only when it is with TCP-AO: EISCONN', async () => {
    const t = await established();
    expect(add(t.socket)).to.equal('EISCONN');
    expect(set(t.socket, TCP_AO_INFO, {})).to.equal('EISCONN');
    const signed = await established({ ...withAo([AO_KEY]), ao: [AO_KEY, AO_NEXT] });
    expect(addAoKey(signed.socket, AO_NEXT, { addr: OTHERS, prefix: 24 })).to.equal(-22);
    expect(addAoKey(signed.socket, AO_NEXT, { set_current: true })).to.equal(0);
  });

  it('a listener has no current key: EINVAL', () => {
    const t = listening();
    const socket = t.listener as Socket;
    expect(add(socket, { set_current: true })).to.equal('EINVAL');
    expect(add(socket, { set_rnext: true })).to.equal('EINVAL');
    expect(add(socket)).to.equal('ok');
    expect(set(socket, TCP_AO_INFO, { set_rnext: true, rnext: AO_KEY.rcvid })).to.equal('EINVAL');
    expect(set(socket, TCP_AO_DEL_KEY, { ...peer(AO_KEY.sndid, AO_KEY.rcvid), set_current: true })).to.equal('EINVAL');
  });

  it('TCP_AO_DEL_KEY: ENOENT, EBUSY for a key in use, unless others take its place', async () => {
    const socket = fresh();
    const { sndid, rcvid } = AO_KEY;
    expect(set(socket, TCP_AO_DEL_KEY, peer(sndid, rcvid))).to.equal('ENOENT');
    expect(add(socket)).to.equal('ok');
    expect(set(socket, TCP_AO_DEL_KEY, peer(sndid, 1))).to.equal('ENOENT');
    expect(set(socket, TCP_AO_DEL_KEY, { ...peer(sndid, rcvid), prefix: 24 })).to.equal('ENOENT');
    expect(set(socket, TCP_AO_DEL_KEY, { ...peer(sndid, rcvid), addr: OTHERS })).to.equal('ENOENT');
    expect(set(socket, TCP_AO_DEL_KEY, { sndid, rcvid })).to.equal('EINVAL');
    expect(set(socket, TCP_AO_DEL_KEY, peer(sndid, rcvid))).to.equal('ok');

    const t = await established(withAo([AO_KEY, AO_NEXT]));
    expect(set(t.socket, TCP_AO_DEL_KEY, peer(sndid, rcvid))).to.equal('EBUSY');
    expect(set(t.socket, TCP_AO_DEL_KEY, { ...peer(sndid, rcvid), set_current: true, current_key: 9 })).to.equal(
      'ENOENT',
    );
    const change = { set_current: true, current_key: AO_NEXT.sndid, set_rnext: true, rnext: AO_NEXT.rcvid };
    expect(set(t.socket, TCP_AO_DEL_KEY, { ...peer(sndid, rcvid), ...change })).to.equal('ok');
    t.ao = AO_NEXT;
    t.aoWanted = AO_NEXT;
    t.inject({ seq: 1, ack: 1, data: 'x' });
    t.expect({ ack: 2 });
  });

  it('TCP_AO_GET_KEYS, TCP_AO_INFO: what was set, what is in use, and how often', async () => {
    const socket = fresh();
    expect(socket.getsockopt(IPPROTO_TCP, TCP_AO_GET_KEYS)).to.equal(-2);
    expect(add(socket, { keyflags: TCP_AO_KEYF_EXCLUDE_OPT, maclen: 8, set_rnext: true })).to.equal('ok');
    expect(addAoKey(socket, AO_NEXT)).to.equal(0);
    const [second, first] = socket.getsockopt(IPPROTO_TCP, TCP_AO_GET_KEYS) as AoKeyStatus[];
    const { excludeOptions: _, ...given } = addition(AO_KEY) as never as Record<string, unknown>;
    expect(first).to.deep.equal({
      ...given,
      maclen: 8,
      keyflags: 2,
      is_current: false,
      is_rnext: true,
      pkt_good: 0,
      pkt_bad: 0,
    });
    expect(second).to.include({ alg_name: 'cmac(aes128)', sndid: 101, rcvid: 201, maclen: 12, keyflags: 0 });
    const counters = { pkt_good: 1, pkt_bad: 2, pkt_key_not_found: 3, pkt_ao_required: 4, pkt_dropped_icmp: 5 };
    const setting = { ao_required: true, accept_icmps: true, set_counters: true, ...counters };
    expect(set(socket, TCP_AO_INFO, { ...setting, set_current: true, current_key: AO_NEXT.sndid })).to.equal('ok');
    expect(socket.getsockopt(IPPROTO_TCP, TCP_AO_INFO)).to.deep.equal({
      ao_required: true,
      accept_icmps: true,
      set_current: true,
      set_rnext: true,
      current_key: AO_NEXT.sndid,
      rnext: AO_KEY.rcvid,
      ...counters,
    });
    expect(set(socket, TCP_AO_INFO, { set_current: true, current_key: 9 })).to.equal('ENOENT');

    const elsewhere = (socket: Socket) => void addAoKey(socket, AO_NEXT, { addr: OTHERS, prefix: 24 });
    const t = await established(withAo([AO_KEY], { setup: elsewhere }));
    t.inject({ seq: 1, ack: 1, data: 'x' });
    t.inject({ seq: 2, ack: 1, data: 'y', badSignature: true });
    // The listener's for other peers are not there.
    const [key, ...others] = t.socket.getsockopt(IPPROTO_TCP, TCP_AO_GET_KEYS) as AoKeyStatus[];
    expect(others).to.be.empty;
    expect(key).to.include({ pkt_good: 1, pkt_bad: 1, is_current: true, is_rnext: true });
  });

  it('without a hasher there is none of it: ENOPROTOOPT', () => {
    const socket = listening({ withoutHasher: true }).newSocket();
    for (const option of [TCP_MD5SIG, TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_AO_INFO]) {
      expect(set(socket, option, {})).to.equal('ENOPROTOOPT');
      expect(socket.getsockopt(IPPROTO_TCP, option)).to.equal(-92);
    }
    expect(set(fresh(), TCP_AO_GET_KEYS, {})).to.equal('ENOPROTOOPT');
  });
});
