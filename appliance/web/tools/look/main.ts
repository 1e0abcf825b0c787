import { mount } from 'svelte';
import { adminBox } from '../../src/domain/testing/adminBox.ts';
import App from '../../src/view/App.svelte';
import '../../src/view/app.css';
import { FixtureApp, NOW, scenes } from '../../src/view/fixtures.ts';
import { chooseLanguage, chooseLook, recallPreferences } from '../../src/view/prefs.svelte.ts';
import { freeze } from '../../src/view/time.svelte.ts';
import { Shell } from '../../src/shell/shell.svelte.ts';

/** One made-up screen, as the address asks: ?scene=inbox&language=es&look=dark&installed */
const asked = new URLSearchParams(location.search);
const scene = scenes[asked.get('scene') ?? 'inbox'];
if (scene === undefined) throw new Error('no such scene');
recallPreferences();
chooseLanguage(asked.get('language') === 'es' ? 'es' : 'en');
chooseLook(asked.get('look') === 'dark' ? 'dark' : 'light');
freeze(NOW);

class LookShell extends Shell {
  override get isInstalled(): boolean {
    return asked.has('installed');
  }
}
if (asked.has('rtl')) document.documentElement.dir = 'rtl';
if (asked.has('big')) document.documentElement.style.fontSize = '200%';
const app = new FixtureApp(scene);
if (asked.get('scene')?.startsWith('admin')) app.answers = adminBox(asked.get('scene') === 'adminZone' ? 'NOT_ADMINISTRATOR' : '');
const shell = new LookShell();
shell.updateReady = asked.has('update');
mount(App, { target: document.getElementById('app') as HTMLElement, props: { app, shell } });
Object.assign(globalThis, { fixture: app });
