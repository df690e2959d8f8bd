/** /etc/hosts: addresses of names and names of addresses, as hosts(5) and Go have it. */
import { absoluteName, lowerCase } from './dns-names.ts';
import { type IPAddr, parseIPAddr } from './ip-addr.ts';

interface NamedHost {
  readonly addresses: IPAddr[];
  /** The first name of the line that named it first. */
  readonly canonicalName: string;
}

export class HostsTable {
  readonly #byName = new Map<string, NamedHost>();
  readonly #byAddress = new Map<string, string[]>();

  /** Reads lines `address name alias ...`; `#` begins a comment; a line whose first field is no address is passed over. */
  static parse(text: string): HostsTable {
    const table = new HostsTable();
    for (const line of text.split('\n')) {
      const [first, ...names] = fields(line);
      const address = first === undefined ? undefined : parseIPAddr(first);
      if (address !== undefined) table.add(address, names);
    }
    return table;
  }

  add(address: IPAddr, names: readonly string[]): void {
    const key = `${address}`;
    const ofAddress = this.#byAddress.get(key) ?? [];
    this.#byAddress.set(key, ofAddress);
    for (const name of names) {
      ofAddress.push(absoluteName(name));
      const known = this.#byName.get(keyOf(name));
      if (known !== undefined) known.addresses.push(address);
      else this.#byName.set(keyOf(name), { addresses: [address], canonicalName: keyOf(names[0] as string) });
    }
  }

  /** The addresses of a name, in the order of the lines. */
  host(name: string): NamedHost | undefined {
    return this.#byName.get(keyOf(name));
  }

  /** The names of an address, in the order in which they stand there. */
  names(address: IPAddr): readonly string[] {
    return this.#byAddress.get(`${address}`) ?? [];
  }
}

function keyOf(name: string): string {
  return absoluteName(lowerCase(name));
}

/** The fields of a line of /etc/hosts or /etc/services, without its comment. */
export function fields(line: string): string[] {
  return (line.split('#', 1)[0] as string).split(/[ \t\r]+/).filter((field) => field !== '');
}
