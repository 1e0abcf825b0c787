import { mount } from 'svelte';
import { startApp } from './edge/app.ts';
import { Shell } from './shell/shell.svelte.ts';
import App from './view/App.svelte';
import { asideOf } from './view/asides.ts';
import Aside from './view/Aside.svelte';
import './view/app.css';
import { recallPreferences } from './view/prefs.svelte.ts';
import Ended from './view/screens/Ended.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('no #app');
const shell = new Shell();
shell.start();
try {
  const aside = asideOf(location.pathname);
  const app = aside === null ? startApp() : null;
  await recallPreferences();
  target.replaceChildren();
  if (aside !== null) mount(Aside, { target, props: { name: aside, shell } });
  if (app !== null) mount(App, { target, props: { app, shell } });
} catch (error) {
  // Whatever is the matter, a person is told what to do.
  console.error(error);
  target.replaceChildren();
  mount(Ended, { target, props: { why: 'broken', shell } });
}
