import { describe, expect, test } from 'vitest';
import { Router } from './router.ts';

const shop = { service: 'shop', hosts: ['shop.example', '*.shop.example', '192.0.2.1', '[::1]'] };

describe('registered hosts', () => {
  const router = new Router({ services: [shop], convention: false });

  test.each(['shop.example', 'SHOP.example.:8080', '192.0.2.1', '[::1]:80'])('%s is exact', (host) => {
    expect(router.route(host)).toEqual({ service: 'shop' });
  });

  test('a wildcard stands for exactly one label', () => {
    expect(router.route('www.shop.example')).toEqual({ service: 'shop' });
    expect(router.route('a.www.shop.example')).toBeUndefined();
  });

  test.each(['evilshop.example', 'shop.example.evil.example', 'example', 'shop.exampl', '192.0.2.2'])(
    '%s is matched by whole labels only',
    (host) => {
      expect(router.route(host)).toBeUndefined();
    },
  );

  test('an exact host wins over a wildcard, a longer wildcard is another one', () => {
    const both = new Router({
      services: [
        { service: 'all', hosts: ['*.example.com'] },
        { service: 'one', hosts: ['one.example.com'] },
        { service: 'deep', hosts: ['*.one.example.com'] },
      ],
    });
    expect(both.route('one.example.com')).toMatchObject({ service: 'one' });
    expect(both.route('two.example.com')).toMatchObject({ service: 'all' });
    expect(both.route('x.one.example.com')).toMatchObject({ service: 'deep' });
  });

  test('IDN is compared as punycode', () => {
    const idn = new Router({ services: [{ service: 'books', hosts: ['bücher.example'] }] });
    expect(idn.route('xn--bcher-kva.example')).toMatchObject({ service: 'books' });
  });
});

describe('the convention', () => {
  test('first label x is service x', () => {
    const route = { service: 'golang' };
    const router = new Router();
    expect(router.route('golang.cless.cloud')).toEqual(route);
    expect(router.route('golang')).toEqual(route);
  });

  test('registered services come first', () => {
    const router = new Router({ services: [{ service: 'mine', hosts: ['golang.cless.cloud'] }] });
    expect(router.route('golang.cless.cloud')).toEqual({ service: 'mine' });
  });

  test('it never applies to IP literals', () => {
    expect(new Router().route('127.0.0.1')).toBeUndefined();
    expect(new Router().route('[::1]')).toBeUndefined();
  });

  test('it can be confined to a domain', () => {
    const router = new Router({ domain: 'cless.cloud' });
    expect(router.route('golang.cless.cloud')).toMatchObject({ service: 'golang' });
    for (const host of [
      'golang.evil.example',
      'a.golang.cless.cloud',
      'golang',
      'cless.cloud',
      'golang.xcless.cloud',
    ]) {
      expect(router.route(host)).toBeUndefined();
    }
  });
});

describe('names of registered services', () => {
  const services = [
    { service: 'blog', hosts: [] },
    { service: 'shop', hosts: ['shop.example'] },
  ];

  test('without hosts a service answers to its name, with hosts only to these', () => {
    for (const convention of [true, false]) {
      const router = new Router({ services, convention });
      expect(router.route('blog.cless.cloud')).toEqual({ service: 'blog' });
      for (const host of ['shop.cless.cloud', 'shop.example.evil.example', 'shop'])
        expect(router.route(host)).toBeUndefined();
    }
  });

  test('the domain holds for them, too', () => {
    const router = new Router({ services, domain: 'cless.cloud', convention: false });
    expect(router.route('blog.cless.cloud')).toMatchObject({ service: 'blog' });
    expect(router.route('blog.evil.example')).toBeUndefined();
  });
});

describe('tags', () => {
  const router = new Router({
    services: [
      { service: 'blog', hosts: [], tags: ['next'] },
      { service: 'shop', hosts: ['www.shop.example', '*.shops.example'], tags: ['next', 'xn'] },
      { service: 'a--b', hosts: [] },
      { service: 'b', hosts: [], tags: ['a'] },
      { service: 'own', hosts: ['next--www.own.example'] },
      { service: 'taken', hosts: ['www.own.example'], tags: ['next'] },
      { service: 'xn--bcher-kva', hosts: [], tags: ['next'] },
    ],
    convention: false,
  });

  test.each([
    ['next--blog.cless.cloud', { service: 'blog', tag: 'next' }],
    ['NEXT--www.shop.example', { service: 'shop', tag: 'next' }],
    ['next--one.shops.example', { service: 'shop', tag: 'next' }],
    ['next--xn--bcher-kva.cless.cloud', { service: 'xn--bcher-kva', tag: 'next' }],
    ['other--one.shops.example', { service: 'shop' }],
  ])('%s', (host, route) => {
    expect(router.route(host)).toEqual(route);
  });

  test('an exact service name wins, and so does an exact host', () => {
    expect(router.route('a--b.cless.cloud')).toEqual({ service: 'a--b' });
    expect(router.route('next--www.own.example')).toEqual({ service: 'own' });
  });

  test.each([
    'other--blog.cless.cloud',
    '--blog.cless.cloud',
    'next--.cless.cloud',
    'xn--www.shop.example',
    'next--none.x',
  ])('%s is no tag', (host) => {
    let route: unknown;
    try {
      route = router.route(host);
    } catch (error) {
      route = (error as { code?: string }).code === 'INVALID_HOST' ? undefined : error;
    }
    expect(route).toBeUndefined();
  });

  test('the domain holds for tags, too', () => {
    const confined = new Router({
      services: [{ service: 'blog', hosts: [], tags: ['next'] }],
      domain: 'cless.cloud',
      convention: false,
    });
    expect(confined.route('next--blog.cless.cloud')).toMatchObject({ tag: 'next' });
    expect(confined.route('next--blog.evil.example')).toBeUndefined();
  });
});

describe('changes', () => {
  test('are counted, so that what was looked up can be kept until the next one', () => {
    const router = new Router({ services: [shop] });
    const before = router.changes;
    router.route('shop.example');
    router.delete('blog');
    expect(() => router.set('blog', { hosts: ['shop.example'] })).toThrow();
    const unchanged = router.changes;
    router.set('blog', { hosts: ['blog.example'] });
    const added = router.changes;
    router.delete('blog');
    expect([unchanged >= before, added > unchanged, router.changes > added]).toEqual([true, true, true]);
  });

  test('set replaces the hosts of a service, delete forgets them', () => {
    const router = new Router({ services: [shop], convention: false });
    router.set('shop', { hosts: ['new.example'] });
    expect(router.route('shop.example')).toBeUndefined();
    expect(router.route('new.example')).toMatchObject({ service: 'shop' });
    expect(router.delete('shop')).toBe(true);
    expect(router.delete('shop')).toBe(false);
    expect(router.route('new.example')).toBeUndefined();
  });

  test('a host of another service is refused and nothing changes', () => {
    const router = new Router({ services: [shop], convention: false });
    router.set('blog', { hosts: ['blog.example'] });
    expect(() => router.set('blog', { hosts: ['new.example', '*.SHOP.example'] })).toThrow(
      expect.objectContaining({ code: 'HOST_TAKEN', host: '*.shop.example', owner: 'shop' }),
    );
    expect(router.route('blog.example')).toMatchObject({ service: 'blog' });
    expect(router.route('new.example')).toBeUndefined();
  });

  test.each(['*', '*.', '*.192.0.2.1', 'a.*.example', '*.*.example', '**.example'])(
    '%s is no host',
    (host) => {
      expect(() => new Router({ services: [{ service: 's', hosts: [host] }] })).toThrow(/is not a host/);
    },
  );
});
