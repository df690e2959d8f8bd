/** Packets of every protocol as bytes: written by hand, spoiled at random, and mended so far that they get past the checksums. */
import { seededRandom } from '../../src/time/random.ts';
import { checksum, fold, sum } from '../../src/wire/checksum.ts';
import type { Draw } from './draw.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const FRAGMENT = 44;
export const ICMPV6 = 58;
/** Next Header values that are extension headers, or have been. */
export const EXTENSIONS: readonly number[] = [0, 43, FRAGMENT, 60, 51, 135, 139, 140];

/** The eight bytes of an IPv4 address in both directions, or the 32 of IPv6. */
export type Address = readonly number[];

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function joined(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function ip4(
  protocol: number,
  from: Address,
  to: Address,
  payload: Uint8Array,
  options: Uint8Array,
): Uint8Array {
  const header = 20 + options.length;
  const length = header + payload.length;
  const first = [0x40 | (header >> 2), 0, length >> 8, length & 255, 0, 0, 0, 0, 64, protocol, 0, 0];
  return mended(joined(first, from, to, options, payload));
}

/** `chain`: extension headers, the last of which names the protocol; `first` is what the first of them is. */
export function ip6(
  first: number,
  from: Address,
  to: Address,
  chain: Uint8Array,
  payload: Uint8Array,
  hops = 64,
): Uint8Array {
  const length = chain.length + payload.length;
  return mended(joined([0x60, 0, 0, 0, (length >> 8) & 255, length & 255, first, hops], from, to, chain, payload));
}

/** The same bytes with the checksums that they should have, as far as there are fields for them. */
export function mended(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 20) return bytes;
  const version = (bytes[0] as number) >> 4;
  if (version === 4) mend4(bytes, view(bytes));
  else if (version === 6 && bytes.length >= 40) mend6(bytes, view(bytes));
  return bytes;
}

function mend4(bytes: Uint8Array, data: DataView): void {
  const header = ((bytes[0] as number) & 15) << 2;
  if (header < 20 || header > bytes.length) return;
  data.setUint16(10, 0);
  data.setUint16(10, checksum(sum(data, 0, header)));
  if ((data.getUint16(6) & 0x3fff) !== 0) return;
  const end = Math.min(Math.max(data.getUint16(2), header), bytes.length);
  mendTransport(data, bytes[9] as number, header, end, sum(data, 12, 8), 4);
}

function mend6(bytes: Uint8Array, data: DataView): void {
  const end = Math.min(40 + data.getUint16(4), bytes.length);
  let kind = bytes[6] as number;
  let at = 40;
  while (kind !== ICMPV6 && EXTENSIONS.includes(kind) && at + 8 <= end) {
    if (kind === FRAGMENT && (data.getUint16(at + 2) & 0xfff9) !== 0) return;
    const length = kind === FRAGMENT ? 8 : ((bytes[at + 1] as number) + 1) << 3;
    kind = bytes[at] as number;
    at += length;
  }
  if (at <= end) mendTransport(data, kind, at, end, sum(data, 8, 32), 6);
}

function mendTransport(
  data: DataView,
  protocol: number,
  at: number,
  end: number,
  addresses: number,
  family: 4 | 6,
): void {
  const length = end - at;
  const pseudo = addresses + protocol + length;
  if (protocol === TCP && length >= 20) put(data, at, length, 16, pseudo);
  else if (protocol === UDP && length >= 8) {
    // The pseudo-header has the length that UDP says.
    const said = data.getUint16(at + 4);
    const counted = said >= 8 && said <= length ? said : length;
    put(data, at, counted, 6, addresses + protocol + counted);
    if (data.getUint16(at + 6) === 0) data.setUint16(at + 6, 0xffff);
  } else if (protocol === ICMP && family === 4 && length >= 4) put(data, at, length, 2, 0);
  else if (protocol === ICMPV6 && family === 6 && length >= 4) put(data, at, length, 2, pseudo);
}

function put(data: DataView, at: number, length: number, field: number, initial: number): void {
  data.setUint16(at + field, 0);
  data.setUint16(at + field, checksum(fold(sum(data, at, length, initial))));
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** Some bytes are others, some are gone, some are too many. */
export function spoiled(draw: Draw, bytes: Uint8Array): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let count = draw.integer(1, 3); count > 0 && out.length > 0; count--) {
    // What is at the front decides most.
    const at = draw.chance(0.7) ? draw.integer(0, Math.min(out.length, 80) - 1) : draw.integer(0, out.length - 1);
    switch (draw.integer(0, 8)) {
      case 0:
      case 1:
        out[at] = draw.integer(0, 255);
        break;
      case 2:
        out[at] = (out[at] as number) ^ (1 << draw.integer(0, 7));
        break;
      case 3:
      case 4:
        out[at] = draw.pick(EXTREMES);
        if (draw.chance(0.5) && at + 1 < out.length) out[at + 1] = draw.pick(EXTREMES);
        break;
      case 5:
        out = out.slice(0, at);
        break;
      case 6:
        out = joined(out, noise(draw, draw.integer(1, 64)));
        break;
      case 7:
        out = joined(out.subarray(0, at), out.subarray(Math.min(at + draw.pick([1, 2, 4, 8, 20]), out.length)));
        break;
      default:
        out = joined(out.subarray(0, at), out.subarray(0, draw.integer(0, out.length)));
    }
    if (out.length > 65_535) out = out.slice(0, 65_535);
  }
  return out;
}

/** Bytes of chance, to be cut from: to draw each one takes longer than all the rest. */
const NOISE_SIZE = 1 << 16;
const NOISE = new Uint8Array(NOISE_SIZE);
const random = seededRandom('noise');
for (let i = 0; i < NOISE_SIZE; i++) NOISE[i] = random.uint32();

/** A copy of some of them. */
export function noise(draw: Draw, length: number): Uint8Array {
  const start = draw.integer(0, NOISE_SIZE - 1 - length);
  return NOISE.slice(start, start + length);
}

/** The packet says the length that it has. */
export function lengthened(bytes: Uint8Array): Uint8Array {
  const version = (bytes[0] as number) >> 4;
  if (version === 4 && bytes.length >= 20) view(bytes).setUint16(2, bytes.length);
  if (version === 6 && bytes.length >= 40) view(bytes).setUint16(4, bytes.length - 40);
  return bytes;
}

/**
 * The packet in fragments, in order; what is not to be cut comes back as it is. A small part of the pieces overlaps others, or is cut where none may be.
 */
export function fragments(draw: Draw, bytes: Uint8Array): Uint8Array[] {
  const version = (bytes[0] as number) >> 4;
  const header = version === 4 ? ((bytes[0] as number) & 15) << 2 : 40;
  if (header < 20 || bytes.length < header + 16 || (version !== 4 && version !== 6)) return [bytes];
  const payload = bytes.subarray(header);
  const identification = draw.integer(0, 40);
  const out: Uint8Array[] = [];
  const step = Math.max(8, Math.floor(payload.length / draw.integer(1, 6)) & ~7);
  for (let at = 0; at < payload.length; at += step) {
    const shift = draw.chance(0.03) ? draw.pick([-8, 8, 4, 65_000]) : 0;
    const piece = payload.subarray(at, at + step + (draw.chance(0.02) ? draw.pick([8, 3]) : 0));
    const more = at + step < payload.length !== draw.chance(0.01);
    const offset = Math.max(at + shift, 0);
    out.push(
      version === 4
        ? piece4(bytes, header, piece, offset, more, identification)
        : piece6(bytes, piece, offset, more, identification),
    );
  }
  return out;
}

function piece4(
  bytes: Uint8Array,
  header: number,
  piece: Uint8Array,
  offset: number,
  more: boolean,
  id: number,
): Uint8Array {
  const out = joined(bytes.subarray(0, header), piece);
  const data = view(out);
  data.setUint16(2, out.length);
  data.setUint16(4, id);
  data.setUint16(6, ((offset >> 3) & 0x1fff) | (more ? 0x2000 : 0));
  return mended(out);
}

function piece6(bytes: Uint8Array, piece: Uint8Array, offset: number, more: boolean, id: number): Uint8Array {
  const word = (offset & 0xfff8) | (more ? 1 : 0);
  const header = [bytes[6] as number, 0, (word >> 8) & 255, word & 255, 0, 0, 0, id];
  const out = joined(bytes.subarray(0, 40), header, piece);
  out[6] = FRAGMENT;
  return lengthened(out);
}
