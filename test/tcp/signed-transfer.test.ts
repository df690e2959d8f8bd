/** Signed connections over a bad network, with all that recovery does: each segment carries its signature, and none is refused. */
import { expect } from 'chai';
import { dissect } from '../../src/lab/dissect.ts';
import { captured } from '../../src/link/captured.ts';
import { impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { joinHostPort } from '../../src/net/host-port.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { IPPROTO_TCP, TCP_AO_ADD_KEY, TCP_AO_INFO, TCP_MD5SIG } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { CLIENT_ADDRESS, connectedHosts, SERVER_ADDRESS } from '../support/pair.ts';

const SIZE = 400_000;
const KEY = new TextEncoder().encode('a shared secret');

type Keys = (socket: Socket, peer: IpAddress) => void;

function set(socket: Socket, option: number, value: object): void {
  const result = socket.setsockopt(IPPROTO_TCP, option, value as never);
  if (result < 0) throw new Error(`setsockopt: ${result}`);
}

const md5: Keys = (socket, address) => set(socket, TCP_MD5SIG, { address, key: KEY });
const ao: Keys = (socket, addr) => {
  const key = { addr, prefix: addr.family === 4 ? 32 : 128, alg_name: 'hmac(sha1)', key: KEY };
  set(socket, TCP_AO_ADD_KEY, { ...key, sndid: 2, rcvid: 2, alg_name: 'cmac(aes128)', maclen: 16 });
  set(socket, TCP_AO_ADD_KEY, { ...key, sndid: 1, rcvid: 1 });
};

function control(keys: Keys, peer: string, keep: (socket: Socket) => unknown) {
  return (_network: string, _address: string, socket: Socket) => {
    keep(socket);
    keys(socket, IpAddress.parse(peer) as IpAddress);
  };
}

async function transfer(keys: Keys, option: string, sysctl: { tcp_ecn?: number }): Promise<void> {
  let unsigned = 0;
  const used = new Set<number>();
  const look = (bytes: Uint8Array) => {
    const found = dissect(bytes).tcp?.options.find(({ name }) => name === option);
    if (found === undefined) unsigned++;
    else if (found.name === 'ao') used.add(found.keyId);
  };
  const bad = { loss: 0.03, reorder: 0.03, duplicate: 0.02, corrupt: 0.01 };
  const wrap = (link: Link) => impaired(captured(link, { onPacket: look }), { seed: 5, in: bad });
  const pair = connectedHosts({ latency: 10, wrap, host: { hasher: nodeHasher, sysctl } });
  const listener = await pair.server.listen('tcp', ':7', { control: control(keys, CLIENT_ADDRESS, () => {}) });
  const sockets: Socket[] = [];
  const dial = { control: control(keys, SERVER_ADDRESS, (socket) => sockets.push(socket)) };
  const [dialled, accepted] = await pair.run(
    Promise.all([pair.client.dial('tcp', joinHostPort(SERVER_ADDRESS, 7), dial), listener.accept()]),
  );
  const sent = Uint8Array.from({ length: SIZE }, (_, i) => (i * 31) >> 3);
  const read = async () => {
    const got: number[] = [];
    for await (const chunk of accepted) got.push(...chunk);
    return Uint8Array.from(got);
  };
  const write = async () => {
    await dialled.write(sent.subarray(0, SIZE / 2));
    if (option === 'ao')
      set(sockets[0] as Socket, TCP_AO_INFO, { set_rnext: true, rnext: 2, set_current: true, current_key: 2 });
    await dialled.write(sent.subarray(SIZE / 2));
    dialled.closeWrite();
  };
  const [, got] = await pair.run(Promise.all([write(), read()]));
  expect(Buffer.compare(got, sent)).to.equal(0);
  accepted.close();
  dialled.close();
  listener.close();
  for (const { counters } of [pair.client, pair.server]) {
    const { TCPMD5Failure, TCPMD5NotFound, TCPMD5Unexpected, TCPAOBad, TCPAORequired, TCPAOKeyNotFound } = counters;
    expect([TCPMD5Failure, TCPMD5NotFound, TCPMD5Unexpected]).to.deep.equal([0, 0, 0]);
    expect([TCPAOBad, TCPAORequired, TCPAOKeyNotFound]).to.deep.equal([0, 0, 0]);
  }
  expect(pair.client.counters.RetransSegs).to.be.above(0);
  if (option === 'ao') expect([...used].sort()).to.deep.equal([1, 2]);
  await pair.close();
  // What is dropped on the way into a host has been seen as well.
  expect(unsigned).to.equal(0);
}

describe('signed connections over a bad network', () => {
  for (const [name, sysctl] of [
    ['', {}],
    [', with Accurate ECN', { tcp_ecn: 3 }],
  ] as const) {
    it(`TCP-MD5${name}`, () => transfer(md5, 'md5', sysctl));
    it(`TCP-AO, whose keys change half way${name}`, () => transfer(ao, 'ao', sysctl));
  }
});
