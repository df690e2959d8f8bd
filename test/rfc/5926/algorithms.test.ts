import { expect } from 'chai';
import { Slab } from '../../../src/link/slab.ts';
import { nodeHasher } from '../../../src/node/segment-hasher.ts';
import { AoSigner } from '../../../src/tcp/ao.ts';
import { AO_ALGORITHMS, AoInfo, AoKey } from '../../../src/tcp/ao-keys.ts';
import { TcpCounters } from '../../../src/tcp/counters.ts';
import { seededRandom } from '../../../src/time/random.ts';
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

/** What RFC 9235 prints: IPv4 packets between 10.11.12.13 and 172.27.28.29, the key `testvector`, KeyID 61 to the server, 84 to the client. */
const CLIENT = IpAddress.parse('10.11.12.13') as IpAddress;
const SERVER = IpAddress.parse('172.27.28.29') as IpAddress;

interface Vector {
  readonly title: string;
  readonly algorithm: 0 | 1;
  readonly packet: string;
}

const VECTORS: readonly Vector[] = [
  {
    title: 'a SYN with HMAC-SHA-1-96',
    algorithm: 0,
    packet: `45e0004c dd0f4000 ff06bf6b 0a0b0c0d ac1b1c1d e9d700b3 fbfbab5a 00000000 e002ffff cac40000
      020405b4 01030308 0402080a 00155ab7 00000000 1d103d54 2ee437c6 f8ede6d7 c4d602e7`,
  },
  {
    title: 'a SYN with AES-128-CMAC-96',
    algorithm: 1,
    packet: `45e0004c 7b9f4000 ff0620dc 0a0b0c0d ac1b1c1d c4fa00b3 787a1ddf 00000000 e002ffff 5a0f0000
      020405b4 01030308 0402080a 00017ed0 00000000 1d103d54 e477e99c 80407654 98e55091`,
  },
];

describe('RFC 5926 3.1.1, 3.2: algorithms of TCP-AO, by the packets of RFC 9235 4.1.1 and 5.1.1', () => {
  for (const { title, algorithm, packet } of VECTORS) {
    it(`${title} verifies, and does not when a bit of it changes`, () => {
      expect(verifies(bytes(packet), algorithm)).to.equal(undefined);
      // The client's port, the sequence number, the flags, an option, RNextKeyID, the MAC.
      for (const at of [21, 24, 33, 42, 63, 71]) {
        const changed = bytes(packet);
        changed[at] = (changed[at] as number) ^ 1;
        expect(verifies(changed, algorithm), `byte ${at}`).to.equal('tcp-ao-bad');
      }
    });
  }
});

/** What the server says to a client's SYN. */
function verifies(packet: Uint8Array, algorithm: 0 | 1): string | undefined {
  const chunk = new Slab().take();
  chunk.bytes.set(packet, 100);
  const segment = new TcpSegment();
  expect(parseTcp(chunk.view, 120, packet.length - 20, segment)).to.equal(0);
  const kind = AO_ALGORITHMS[algorithm] as (typeof AO_ALGORITHMS)[number];
  const secret = Buffer.from('testvector');
  const info = new AoInfo();
  info.keys.push(
    new AoKey({
      address: CLIENT,
      prefix: 32,
      sndid: 84,
      rcvid: 61,
      algorithm: kind,
      secret,
      master: kind.master(nodeHasher, secret),
      macLength: 12,
      excludeOptions: false,
    }),
  );
  const ends = {
    local: SERVER,
    localPort: segment.destinationPort,
    remote: CLIENT,
    remotePort: segment.sourcePort,
  };
  const iss = seededRandom(1).uint32() | 0;
  const signer = new AoSigner(nodeHasher, info, info, ends, iss, { sndUna: iss, rcvNxt: 0 });
  return signer.verify(segment, chunk, new TcpCounters());
}
