import { Router } from '@cless/router';
import type { Row } from '../report/row.ts';
import { median } from '../report/statistics.ts';

/** Compares the router's look-ups among 100,000 services and among 10. */
export function lookUps(): Row {
  const build = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `service-${i}`);
    const router = new Router({
      services: names.map((service) => ({ service, hosts: [`${service}.example`] })),
      convention: false,
    });
    // Ten of them are asked for, as when ten services are busy.
    const hosts = Array.from({ length: 10 }, (_, i) => `service-${Math.floor((i * count) / 10)}.example`);
    return { router, hosts };
  };
  const [few, many] = [build(10), build(100_000)];
  const time = ({ router, hosts }: typeof few) => {
    const beganMs = performance.now();
    for (let i = 0; i < 1_000_000; i++) router.route(hosts[i % hosts.length] ?? '');
    return performance.now() - beganMs; // milliseconds for a million are nanoseconds each
  };
  const samples: { few: number[]; many: number[] } = { few: [], many: [] };
  for (let round = 0; round < 7; round++) {
    samples.few.push(time(few));
    samples.many.push(time(many));
  }
  const ratio = median(samples.many) / median(samples.few);
  return {
    what: 'look-up among 100,000 services against 10',
    value: `${ratio.toFixed(2)} × (${median(samples.many).toFixed(0)} ns against ${median(samples.few).toFixed(0)} ns)`,
    target: '≤ 1.2 ×',
    reached: ratio <= 1.2,
  };
}
