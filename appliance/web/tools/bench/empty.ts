import { mount } from 'svelte';
import '../../src/view/app.css';
import Empty from './Empty.svelte';
import './clock.ts';

mount(Empty, { target: document.getElementById('app') as HTMLElement });
