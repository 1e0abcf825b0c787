import { mount } from 'svelte';
import { adminBox } from '../../src/domain/testing/adminBox.ts';
import App from '../../src/view/App.svelte';
import '../../src/view/app.css';
import { asideOf } from '../../src/view/asides.ts';
import Aside from '../../src/view/Aside.svelte';
import { deskScenes, findingsOf } from '../../src/view/fixtures.desk.ts';
import { FixtureApp, NOW, scenes } from '../../src/view/fixtures.ts';
import { alarmScenes } from '../../src/view/fixtures.alarms.ts';
import { noticeScenes } from '../../src/view/fixtures.notices.ts';
import { talkScenes } from '../../src/view/fixtures.talk.ts';
import { chooseLanguage, chooseLook, endPracticeOffer, recallPreferences, type Look } from '../../src/view/prefs.svelte.ts';
import { freeze } from '../../src/view/time.svelte.ts';
import { handsetOf } from './handset.ts';
import { leadAnswers, leadScenes } from './lead.ts';
import { Shell } from '../../src/shell/shell.svelte.ts';
import type { Language } from '../../src/words/words.svelte.ts';
import { talkAnswers } from './talk.answers.ts';

/** One made-up screen, as the address asks: ?scene=inbox&language=es&look=dark&installed */
const asked = new URLSearchParams(location.search);
const scene = { ...scenes, ...deskScenes, ...talkScenes, ...leadScenes, ...alarmScenes, ...noticeScenes }[asked.get('scene') ?? 'inbox'];
if (scene === undefined) throw new Error('no such scene');
await recallPreferences();
if (!asked.has('offered')) endPracticeOffer();
await chooseLanguage(asked.get('language') === 'es' ? 'es' : 'en');
chooseLook(asked.get('look') === 'dark' ? 'dark' : 'light');
freeze(NOW);

class LookShell extends Shell {
  override probe(found: Parameters<Shell['probe']>[0]): () => void {
    found(findingsOf(asked.get('way') ?? ''));
    return () => undefined;
  }
  override root(): ReturnType<Shell['root']> {
    return Promise.resolve(asked.has('noRoot') ? null : { sha256: '0f3a5c7e9b1d2f4a'.repeat(4), facility: 'Willow Creek Medical Center', isNamed: asked.has('named') });
  }
  override get isInstalled(): boolean {
    return asked.has('installed');
  }
}
if (asked.has('rtl')) document.documentElement.dir = 'rtl';
if (asked.has('big')) document.documentElement.style.fontSize = '200%';
const app = new FixtureApp(scene);
app.answers = (body) => talkAnswers(body);
if ((asked.get('scene') ?? '') in leadScenes) app.answers = (body) => leadAnswers(body) ?? talkAnswers(body);
if (asked.get('scene')?.startsWith('admin')) app.answers = adminBox({ adminZone: 'NOT_ADMINISTRATOR', adminExporting: 'READS' }[asked.get('scene') ?? ''] ?? '');
const handset = asked.get('handset');
if (handset !== null) app.handset = () => Promise.resolve(handsetOf(handset));
const shell = new LookShell();
shell.isTrusted = asked.has('trusted');
shell.updateReady = asked.has('update');
const aside = asideOf(asked.get('aside') ?? '/');
if (aside !== null) mount(Aside, { target: document.getElementById('app') as HTMLElement, props: { name: aside, shell } });
else mount(App, { target: document.getElementById('app') as HTMLElement, props: { app, shell } });
Object.assign(globalThis, { fixture: app, show: (look: Look, language: Language) => (chooseLook(look), chooseLanguage(language)) });
