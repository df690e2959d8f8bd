/** The ways to call `connect` and `listen`: `(options)`, `(port, host)`, `(path)`, each with a callback behind. */

const normalized = Symbol('tunstack.net.normalized');

/** Arguments as an array that `Socket.connect` takes as one. */
export type NormalizedArguments = [
  options: Record<string, unknown>,
  callback: ((...args: unknown[]) => void) | null,
] & {
  [normalized]?: boolean;
};

/** Node's `_normalizeArgs`. */
export function normalizeArguments(args: readonly unknown[]): NormalizedArguments {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as (...args: unknown[]) => void) : null;
  const made: NormalizedArguments = [optionsOf(args), callback];
  made[normalized] = true;
  return made;
}

/** Of `Socket.connect`, which may be called with what `normalizeArguments` gave. */
export function callArguments(args: readonly unknown[]): NormalizedArguments {
  const [first] = args;
  if (Array.isArray(first) && (first as NormalizedArguments)[normalized] === true) return first as NormalizedArguments;
  return normalizeArguments(args);
}

/** A path is any text that is no number. */
export function isPath(value: unknown): value is string {
  return typeof value === 'string' && !(Number(value) >= 0);
}

function optionsOf(args: readonly unknown[]): Record<string, unknown> {
  const [first, second] = args;
  if (args.length === 0) return {};
  if (typeof first === 'object' && first !== null) return first as Record<string, unknown>;
  if (isPath(first)) return { path: first };
  return args.length > 1 && typeof second === 'string' ? { port: first, host: second } : { port: first };
}
