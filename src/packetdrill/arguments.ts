/** What the arguments of a system call mean: numbers, lengths, addresses, structures. */
import { AF_INET, AF_INET6 } from '../socket/constants.ts';
import type { SocketAddress } from '../socket/socket.ts';
import { IPV4_ANY, IPV6_ANY, IpAddress } from '../wire/address.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { CallAction, Expression } from './script.ts';
import { symbol } from './symbols.ts';

export class Arguments {
  readonly #call: CallAction;

  constructor(call: CallAction) {
    this.#call = call;
  }

  get count(): number {
    return this.#call.args.length;
  }

  /** The argument at a place. @throws ScriptFailure when there is none */
  at(index: number): Expression {
    const argument = this.#call.args[index];
    if (argument === undefined) {
      throw new ScriptFailure(`${this.#call.name}() needs more than ${this.count} argument(s)`);
    }
    return argument;
  }

  /** A number, also written as a name or `A | B`. */
  number(index: number): number {
    return numberOf(this.at(index));
  }

  /** As `number`, `otherwise` when the argument is missing or `...`. */
  numberOr(index: number, otherwise: number): number {
    const argument = this.#call.args[index];
    return argument === undefined || argument.kind === 'ellipsis' ? otherwise : numberOf(argument);
  }

  /** `[8]`, or a bare number. */
  boxed(index: number): number | undefined {
    const argument = this.at(index);
    if (argument.kind === 'ellipsis') return undefined;
    return numberOf(
      argument.kind === 'list' && argument.items.length === 1 ? (argument.items[0] as Expression) : argument,
    );
  }

  /**
   * `{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("10.0.0.1")}`, or of AF_INET6 with sin6_port, `sin6_addr = inet_pton(AF_INET6,
   * "fe80::1")` and sin6_scope_id; undefined: `...`.
   */
  address(index: number): (SocketAddress & { readonly family: number }) | undefined {
    const argument = this.at(index);
    if (argument.kind === 'ellipsis' || (argument.kind === 'name' && argument.name === 'NULL')) return undefined;
    // `connect(4, AF_UNSPEC, ...)`.
    if (argument.kind === 'name') return { family: numberOf(argument), address: IPV4_ANY, port: 0 };
    if (argument.kind !== 'struct')
      throw new ScriptFailure(`${this.#call.name}(): an address is \`...\` or a structure`);
    return this.addressOf(argument);
  }

  /** As `address`, of a structure. */
  addressOf(argument: Expression): SocketAddress & { readonly family: number } {
    const family = numberOr(
      field(argument, 'sa_family') ?? field(argument, 'sin_family') ?? field(argument, 'sin6_family'),
      AF_INET,
    );
    if (family === AF_INET6) {
      const given = field(argument, 'sin6_addr') ?? field(argument, 'sin_addr');
      const address = given === undefined ? IPV6_ANY : addressOf(given);
      const port = numberOr(field(argument, 'sin6_port') ?? field(argument, 'sin_port'), 0);
      return { family, address: address.withZone(numberOr(field(argument, 'sin6_scope_id'), 0)), port };
    }
    const given = field(argument, 'sin_addr');
    const address = given === undefined ? IPV4_ANY : addressOf(given);
    return { family, address, port: numberOr(field(argument, 'sin_port'), 0) };
  }

  /** The lengths of `[{..., 10}, {..., 20}]`. */
  vector(index: number): number[] {
    return vectorOf(this.at(index));
  }
}

/** @throws UnsupportedFeature for a name that nobody here knows; ScriptFailure for what is not a number at all */
export function numberOf(expression: Expression): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'or':
      return expression.parts.reduce((bits, part) => bits | numberOf(part), 0);
    case 'name': {
      const value = symbol(expression.name);
      if (value === undefined) throw new UnsupportedFeature(`the constant ${expression.name}`);
      return value;
    }
    case 'call':
      // Numbers are kept as people read them: htons(80) is 80.
      if (/^(htons|htonl|ntohs|ntohl)$/.test(expression.name) && expression.args.length === 1) {
        return numberOf(expression.args[0] as Expression);
      }
      throw new UnsupportedFeature(`${expression.name}() in an argument`);
    default:
      throw new ScriptFailure(`a ${expression.kind} stands where a number is needed`);
  }
}

function numberOr(expression: Expression | undefined, otherwise: number): number {
  return expression === undefined || expression.kind === 'ellipsis' ? otherwise : numberOf(expression);
}

/** A pointer to nothing. */
export function isNull(expression: Expression): boolean {
  return (
    (expression.kind === 'name' && expression.name === 'NULL') ||
    (expression.kind === 'number' && expression.value === 0)
  );
}

/** A field of a structure, by name; undefined: it is not there. */
export function field(structure: Expression, name: string): Expression | undefined {
  return structure.kind === 'struct' ? structure.fields.find((each) => each.name === name)?.value : undefined;
}

/** The lengths of an array of `struct iovec`. */
export function vectorOf(expression: Expression): number[] {
  if (expression.kind !== 'list') throw new ScriptFailure('a vector of buffers is written [{..., 10}, {..., 20}]');
  return expression.items.map((item) => {
    const length = field(item, 'iov_len') ?? (item.kind === 'struct' ? item.fields.at(-1)?.value : undefined);
    if (length === undefined) throw new ScriptFailure('a buffer of a vector is written {..., 10}');
    return numberOf(length);
  });
}

/** `inet_addr("10.0.0.1")`, `inet_pton(AF_INET6, "fe80::1")`, or a number. */
export function addressOf(expression: Expression): IpAddress {
  const text =
    expression.kind === 'call' && /^inet_(addr|pton)$/.test(expression.name) ? expression.args.at(-1) : undefined;
  const address = text?.kind === 'string' ? IpAddress.parse(text.value) : undefined;
  if (address !== undefined) return address;
  if (expression.kind === 'call' || expression.kind === 'name') return IpAddress.v4(numberOf(expression));
  throw new ScriptFailure('an address is written inet_addr("10.0.0.1") or inet_pton(AF_INET6, "fe80::1")');
}
