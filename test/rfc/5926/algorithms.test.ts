import { expect } from 'chai';
import { Slab } from '../../../src/link/slab.ts';
import { nodeHasher } from '../../../src/node/segment-hasher.ts';
import { AoSigner } from '../../../src/tcp/ao.ts';
import { AO_ALGORITHMS, AoInfo, AoKey } from '../../../src/tcp/ao-keys.ts';
import { TcpCounters } from '../../../src/tcp/counters.ts';
import { IpAddress } from '../../../src/wire/address.ts';
import { parseTcp, TcpSegment } from '../../../src/wire/tcp.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

describe('RFC 4493: AES-CMAC on node:crypto', () => {
  const key = bytes('2b7e151628aed2a6abf7158809cf4f3c');
  const message = bytes(
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
      '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  );
  for (const [length, mac] of [
    [0, 'bb1d6929e95937287fa37d129b756746'],
    [16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [40, 'dfa66747de9ae63030ca32611497c827'],
    [64, '51f0bebf7e3b9d92fc49741779363cfe'],
  ] as const) {
    it(`RFC 4493 4: the vector of ${length} bytes, in one part and in many`, () => {
      const input = message.subarray(0, length);
      expect(hex(nodeHasher.aesCmac(key, [input]))).to.equal(mac);
      expect(
        hex(
          nodeHasher.aesCmac(
            key,
            Array.from(input, (byte) => Uint8Array.of(byte)),
          ),
        ),
      ).to.equal(mac);
    });
  }

  it('RFC 4615 4: keys of another length, of which TCP-AO makes 16 bytes', () => {
    const input = bytes('000102030405060708090a0b0c0d0e0f10111213');
    const { mac, master } = AO_ALGORITHMS[1] as (typeof AO_ALGORITHMS)[number];
    for (const [length, result] of [
      [18, '84a348a4a45d235babfffc0d2b4da09a'],
      [16, '980ae87b5f4c9c5214f5b6a8455e4c2d'],
      [10, '290d9e112edb09ee141fcf64c0b72f3d'],
    ] as const) {
      const secret = Uint8Array.from({ length }, (_, i) => (i < 16 ? i : i === 16 ? 0xed : 0xcb));
      expect(hex(mac(nodeHasher, master(nodeHasher, secret), [input]))).to.equal(result);
    }
  });
});

describe('RFC 2202, RFC 1321: the other hashes', () => {
  it('HMAC-SHA-1 of test cases 1, 2 and 6', () => {
    const text = (value: string) => Buffer.from(value);
    const mac = (key: Uint8Array, ...parts: Uint8Array[]) => hex(nodeHasher.hmacSha1(key, parts));
    expect(mac(new Uint8Array(20).fill(0x0b), text('Hi '), text('There'))).to.equal(
      'b617318655057264e28bc0b6fb378c8ef146be00',
    );
    expect(mac(text('Jefe'), text('what do ya want for nothing?'))).to.equal(
      'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    );
    expect(mac(new Uint8Array(80).fill(0xaa), text('Test Using Larger Than Block-Size Key - Hash Key First'))).to.equal(
      'aa4ae5e15272d00e95705637ce8a3b55ed402112',
    );
  });

  it('MD5', () => {
    expect(hex(nodeHasher.md5([]))).to.equal('d41d8cd98f00b204e9800998ecf8427e');
    expect(hex(nodeHasher.md5([Buffer.from('message '), Buffer.from('digest')]))).to.equal(
      'f96b697d7cb7938d525a2f31aaf161d0',
    );
  });
});

/** What RFC 9235 prints: IPv4 packets of 10.11.12.13 and 172.27.28.29, the key `testvector`, KeyID 61 to the server, 84 to the client. */
const CLIENT = IpAddress.parse('10.11.12.13') as IpAddress;
const SERVER = IpAddress.parse('172.27.28.29') as IpAddress;
const CLIENT_ISN = 0xfbfbab5a | 0;
const SERVER_ISN = 0x11c14261;

interface Vector {
  readonly title: string;
  readonly algorithm: 0 | 1;
  /** Who gets it. */
  readonly at: 'client' | 'server';
  /** That is, what it knows of the connection: its own number, and the peer's. */
  readonly iss: number;
  readonly irs?: number;
  readonly packet: string;
}

const VECTORS: readonly Vector[] = [
  {
    title: 'RFC 9235 4.1.1: a SYN, HMAC-SHA-1-96',
    algorithm: 0,
    at: 'server',
    iss: 1,
    packet: `45e0004c dd0f4000 ff06bf6b 0a0b0c0d ac1b1c1d e9d700b3 fbfbab5a 00000000 e002ffff cac40000
      020405b4 01030308 0402080a 00155ab7 00000000 1d103d54 2ee437c6 f8ede6d7 c4d602e7`,
  },
  {
    title: 'RFC 9235 4.1.2: a SYN-ACK, HMAC-SHA-1-96',
    algorithm: 0,
    at: 'client',
    iss: CLIENT_ISN,
    packet: `45e0004c 65064000 ff063775 ac1b1c1d 0a0b0c0d 00b3e9d7 11c14261 fbfbab5b e012ffff 37760000
      020405b4 01030308 0402080a 84a50beb 00155ab7 1d10543d eeab0fe2 4c301081 5116b3be`,
  },
  {
    title: 'RFC 9235 4.1.3: data, HMAC-SHA-1-96',
    algorithm: 0,
    at: 'server',
    iss: SERVER_ISN,
    irs: CLIENT_ISN,
    packet: `45e00087 36a14000 ff06659f 0a0b0c0d ac1b1c1d e9d700b3 fbfbab5b 11c14262 c0180104 a1620000
      0101080a 00155ac1 84a50beb 1d103d54 7064cf99 8cc6c315 c2c2e2bf ffffffff ffffffff ffffffff ffffffff
      00430104 dabf00b4 0a0b0c0d 26020601 04000100 01020280 00020202 00020242 00020641 040000da bf020840
      06006400 010100`,
  },
  {
    title: 'RFC 9235 5.1.1: a SYN, AES-128-CMAC-96',
    algorithm: 1,
    at: 'server',
    iss: 1,
    packet: `45e0004c 7b9f4000 ff0620dc 0a0b0c0d ac1b1c1d c4fa00b3 787a1ddf 00000000 e002ffff 5a0f0000
      020405b4 01030308 0402080a 00017ed0 00000000 1d103d54 e477e99c 80407654 98e55091`,
  },
];

describe('RFC 5926 3.1.1, 3.2: algorithms of TCP-AO, by the packets of RFC 9235 4 and 5', () => {
  for (const vector of VECTORS) {
    it(`${vector.title}: it verifies, and does not when a bit of it changes`, () => {
      const packet = bytes(vector.packet);
      expect(verdict(vector, packet)).to.equal(undefined);
      const option = 20 + packet.subarray(20).indexOf(29, 20);
      // A port, the sequence number, the flags, an option, RNextKeyID, the MAC, the last byte.
      for (const at of [vector.at === 'server' ? 21 : 23, 24, 33, 45, option + 3, option + 15, packet.length - 1]) {
        const changed = packet.slice();
        changed[at] = (changed[at] as number) ^ 1;
        expect(verdict(vector, changed), `byte ${at}`).to.equal('tcp-ao-bad');
      }
    });
  }
});

/** What who gets it says. */
function verdict({ algorithm, at, iss, irs }: Vector, packet: Uint8Array): string | undefined {
  const chunk = new Slab().take();
  chunk.bytes.set(packet, 100);
  const segment = new TcpSegment();
  expect(parseTcp(chunk.view, 120, packet.length - 20, segment)).to.equal(0);
  const [local, remote] = at === 'server' ? [SERVER, CLIENT] : [CLIENT, SERVER];
  const [sndid, rcvid] = at === 'server' ? [84, 61] : [61, 84];
  const kind = AO_ALGORITHMS[algorithm] as (typeof AO_ALGORITHMS)[number];
  const secret = Buffer.from('testvector');
  const master = kind.master(nodeHasher, secret);
  const info = new AoInfo();
  const fields = { address: remote, prefix: 32, sndid, rcvid, algorithm: kind, secret, master };
  info.keys.push(new AoKey({ ...fields, macLength: 12, excludeOptions: false }));
  const { destinationPort: localPort, sourcePort: remotePort } = segment;
  const progress = { sndUna: iss, rcvNxt: ((irs ?? 0) + 1) | 0 };
  const signer = new AoSigner(nodeHasher, info, info, { local, localPort, remote, remotePort }, iss, progress);
  if (irs !== undefined) signer.peerStartsAt(irs);
  return signer.verify(segment, chunk, new TcpCounters());
}
