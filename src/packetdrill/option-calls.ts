/** setsockopt and getsockopt. */
import { SO_LINGER, SOL_SOCKET, TCP_INFO } from '../socket/constants.ts';
import { ENOPROTOOPT } from '../socket/errno.ts';
import type { Linger } from '../socket/option-value.ts';
import { type Arguments, field, numberOf } from './arguments.ts';
import { expectsErrno, onSocket } from './call-support.ts';
import type { SocketDescriptor } from './descriptors.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { CallAction, Expression } from './script.ts';

export function setOptionCall(descriptor: SocketDescriptor | number, call: CallAction, args: Arguments): number {
  return onSocket(descriptor, ({ socket }) => {
    const result = socket.setsockopt(args.number(1), args.number(2), optionValue(call, args));
    if (result === -ENOPROTOOPT && !expectsErrno(call, 'ENOPROTOOPT'))
      throw new UnsupportedFeature(`setsockopt() of ${nameOf(args.at(2))}`);
    return result;
  });
}

export function getOptionCall(descriptor: SocketDescriptor | number, call: CallAction, args: Arguments): number {
  return onSocket(descriptor, ({ socket }) => {
    const [level, option] = [args.number(1), args.number(2)];
    const value = socket.getsockopt(level, option);
    if (value === -ENOPROTOOPT && !expectsErrno(call, 'ENOPROTOOPT'))
      throw new UnsupportedFeature(`getsockopt() of ${nameOf(args.at(2))}`);
    if (typeof value === 'number') {
      if (value < 0) return value;
      const expected = args.boxed(3);
      if (expected !== undefined && expected !== value)
        throw new ScriptFailure(`getsockopt() gives [${value}], not [${expected}]`);
      return 0;
    }
    const expected = args.at(3);
    if (expected.kind === 'ellipsis') return 0;
    if (option === TCP_INFO) throw new UnsupportedFeature('TCP_INFO as a structure: use a code block');
    const { onoff, linger } = value as Linger;
    const same = numberIn(expected, 'onoff') === onoff && (onoff === 0 || numberIn(expected, 'linger') === linger);
    if (!same) throw new ScriptFailure(`getsockopt() gives {onoff=${onoff}, linger=${linger}}`);
    return 0;
  });
}

function optionValue(call: CallAction, args: Arguments): number | Linger {
  const value = args.at(3);
  if (value.kind === 'struct' && args.number(1) === SOL_SOCKET && args.number(2) === SO_LINGER) {
    return { onoff: numberIn(value, 'onoff'), linger: numberIn(value, 'linger') };
  }
  const number = value.kind === 'string' || value.kind === 'struct' ? undefined : args.boxed(3);
  if (number === undefined) throw new UnsupportedFeature(`${call.name}() of ${nameOf(args.at(2))} with such a value`);
  return number;
}

function numberIn(structure: Expression, name: string): number {
  const value = field(structure, name) ?? field(structure, `l_${name}`);
  if (value === undefined) throw new ScriptFailure('a linger structure is written {onoff=1, linger=0}');
  return numberOf(value);
}

function nameOf(expression: Expression): string {
  return expression.kind === 'name' ? expression.name : `option ${numberOf(expression)}`;
}
