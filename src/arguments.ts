/** What callers are told about arguments that cannot be. The lowest floor: everything may ask it. */

/** How much of a text an error repeats, characters. */
const LONGEST = 200;

/** Any value, as the text of an error shows it: objects that cannot be made a text, too. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = String(value);
  } catch {
    text = typeof value === 'function' ? 'a function' : 'an object';
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/**
 * An option that is mistyped would silently be without effect.
 * @throws TypeError when `options` is no object, or names an option that is not among those there are
 */
export function checkNames(caller: string, options: unknown, names: readonly string[]): void {
  const wrong = wrongNames(caller, options, names);
  if (wrong !== undefined) throw wrong;
}

/** As `checkNames`: what it would throw, or undefined. */
export function wrongNames(caller: string, options: unknown, names: readonly string[]): TypeError | undefined {
  if (typeof options !== 'object' || options === null || !isBag(options, names))
    return new TypeError(
      `${caller}${caller.includes(':') ? '' : ': options'} must be an object { ${names.join(', ')} }, got ${shown(options)}`,
    );
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return undefined;
  return new TypeError(`${caller}: there is no option ${shown(unknown)}; there are ${names.join(', ')}`);
}

/** A plain object, of any realm, or one whose class has such options: a signal or a promise in their place is a slip. */
function isBag(options: object, names: readonly string[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(options);
  return (
    prototype === null || Object.getPrototypeOf(prototype) === null || names.some((name) => Reflect.has(options, name))
  );
}

/** @throws TypeError unless it can be called */
export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a function, got ${shown(value)}`);
}

/** @throws TypeError unless it has such a method: `kind` (`a host`) is what it should be */
export function checkKind(what: string, value: unknown, kind: string, method: string): void {
  const known = value as Record<string, unknown> | null | undefined;
  if (typeof known?.[method] !== 'function') throw new TypeError(`${what} must be ${kind}, got ${shown(value)}`);
}

/** Whether the memory of an array has been given away (`postMessage`, `structuredClone`) or shrunk: it cannot be told from an empty one by its length. */
export function isDetached(bytes: Uint8Array): boolean {
  if (bytes.length > 0) return false;
  try {
    bytes.indexOf(0);
    return false;
  } catch {
    return true;
  }
}

/** @throws TypeError unless it is true or false */
export function checkFlag(what: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false, got ${shown(value)}`);
}
