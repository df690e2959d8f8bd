/** /etc/services: the ports of service names, as services(5) and Go have it. */
import { fields } from './hosts-file.ts';

/** Ports by name, for each protocol that is named there: `tcp`, `udp`, ... */
export type Services = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Reads lines `name port/protocol alias ...`; `#` begins a comment; others are passed over. */
export function parseServices(text: string): Services {
  const services = new Map<string, Map<string, number>>();
  for (const line of text.split('\n')) {
    const [name, where = '', ...aliases] = fields(line);
    const [, digits, protocol] = /^([0-9]+)\/(.+)$/.exec(where) ?? [];
    const port = Number(digits);
    if (name === undefined || protocol === undefined || !(port > 0 && port <= 65_535)) continue;
    const ports = services.get(protocol) ?? new Map<string, number>();
    services.set(protocol, ports);
    for (const each of [name, ...aliases]) ports.set(each, port);
  }
  return services;
}
