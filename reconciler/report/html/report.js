"use strict";
// Makes the tables of a report answer: filters, choices, sorting, pages. Without it a reader still has every section
// and the first page of each table.
//
// Rules of this file: text enters the page as text nodes and attributes alone, never as markup; nothing is fetched,
// stored or timed; on a screen only the rows of one page are ever in the document, on paper no more than PRINTED.

(() => {
  const collator = new Intl.Collator("en", { numeric: true });
  const number = new Intl.NumberFormat("en");
  const PRINTED = 2000;

  // One column. `rank` and `text` are kept for each distinct value, so that a hundred thousand rows cost an index each.
  class Column {
    constructor({ name, label, badges, separator, shown, cells, shared, rests, lists }) {
      const pieces = [];
      if (rests) rests.forEach((rest, index) => pieces.push((pieces[index - 1] || "").slice(0, shared[index]) + rest));
      Object.assign(this, { name, label, badges, separator, shown, pieces, lists });
      this.cells = cells || lists.map((_, row) => row); // left out where every row has words of its own
      this.texts = lists && lists.map((list) => list.map((place) => pieces[place]).join(separator));
      this.folded = this.texts && this.texts.map((text) => text.toLowerCase());
    }

    // Return a test of rows: does the cell contain what was typed?
    containing(term) {
      const { cells, folded } = this;
      if (folded) {
        const hit = folded.map((text) => text.includes(term));
        return (row) => hit[cells[row]];
      }
      const span = /^(\d+)-(\d+)$/.exec(term);
      if (span) return (row) => Number(span[1]) <= cells[row] && cells[row] <= Number(span[2]);
      return (row) => String(cells[row]).includes(term);
    }

    // Return a test of rows: is the chosen piece one of the cell's?
    having(place) {
      const hit = this.lists.map((list) => list.includes(place));
      return (row) => hit[this.cells[row]];
    }

    // Return what rows are compared by: numbers as they are, words in the order of a dictionary.
    ranks() {
      const { cells, texts } = this;
      if (!texts) return (row) => cells[row];
      const order = texts.map((_, index) => index).sort((a, b) => collator.compare(texts[a], texts[b]));
      const rank = new Uint32Array(texts.length);
      order.forEach((index, place) => { rank[index] = place; });
      return (row) => rank[cells[row]];
    }

    // Return the cell's markup, as `table.py` writes it for the first page.
    cell(row) {
      const words = this.lists ? this.lists[this.cells[row]].map((place) => this.pieces[place]) : [String(this.cells[row])];
      const cell = make("td", "", { class: this.name, "data-label": this.label });
      words.forEach((word, index) => {
        if (index) cell.append(this.separator);
        cell.append(this.badges
          ? make("span", word, { class: "badge", "data-value": word })
          : make("span", word));
      });
      return cell;
    }
  }

  function make(name, text, attributes = {}) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  }

  class Table {
    constructor(root) {
      this.root = root;
      const { page, noun, columns } = JSON.parse(root.querySelector("script").textContent);
      this.size = page;
      this.noun = noun;
      this.columns = columns.map((column) => new Column(column));
      this.all = this.columns[0].cells.map((_, row) => row);
      this.body = root.querySelector("tbody");
      this.form = root.querySelector("form");
      this.count = root.querySelector("[role=status]");
      this.pager = root.querySelector("nav");
      this.headings = [...root.querySelectorAll("th")];
      this.sorted = null;
      this.falling = false;
      this.offerSorting();
      this.offerFilters();
      this.offerPages();
      this.choose();
    }

    offerSorting() {
      this.headings.forEach((heading) => {
        const column = this.columns.find(({ name }) => name === heading.className);
        const button = make("button", heading.textContent, { type: "button" });
        button.addEventListener("click", () => this.sortBy(column, heading));
        heading.replaceChildren(button);
      });
    }

    offerFilters() {
      if (!this.form) return;
      this.form.hidden = false;
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("input", ({ target }) => target.matches("input") && this.choose());
      this.form.addEventListener("change", ({ target }) => target.matches("select") && this.choose());
      this.form.addEventListener("reset", (event) => {
        event.preventDefault(); // the browser would empty the fields only after this listener
        this.clear();
      });
    }

    clear() {
      this.form.elements.text.value = "";
      for (const choice of this.form.querySelectorAll("select")) choice.value = "-";
      this.choose();
    }

    offerPages() {
      if (!this.pager) return;
      this.here = this.pager.querySelector(".here");
      this.pager.addEventListener("click", ({ target }) => target.dataset.go && this.turn(target.dataset.go));
    }

    // Rising, then falling, then as the report has them, which is what matters most first.
    sortBy(column, heading) {
      const again = this.sorted === column;
      this.sorted = again && this.falling ? null : column;
      this.falling = again && !this.falling;
      for (const other of this.headings) other.removeAttribute("aria-sort");
      if (this.sorted) heading.setAttribute("aria-sort", this.falling ? "descending" : "ascending");
      this.choose();
    }

    // Find the rows that pass every filter, in order, and show the first page of them.
    choose() {
      const tests = this.form ? this.tests() : [];
      this.rows = this.all.filter((row) => tests.every((test) => test(row)));
      if (this.sorted) {
        const rank = this.sorted.ranks();
        const sign = this.falling ? -1 : 1;
        this.rows.sort((a, b) => sign * (rank(a) - rank(b)) || a - b);
      }
      this.show(0);
    }

    tests() {
      const shown = this.columns.filter(({ shown }) => shown);
      const terms = this.form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = terms.map((term) => {
        const tests = shown.map((column) => column.containing(term));
        return (row) => tests.some((test) => test(row));
      });
      const chosen = this.columns.filter(({ name }) => this.form.elements[name] && this.form.elements[name].value !== "-");
      return [...chosen.map((column) => column.having(Number(this.form.elements[column.name].value))), ...found];
    }

    show(page) {
      this.page = page;
      const start = page * this.size;
      this.draw(this.rows.slice(start, start + this.size));
      this.tell(start);
    }

    draw(rows) {
      const columns = this.columns.filter(({ shown }) => shown);
      this.body.replaceChildren(...rows.map((row) => {
        const line = document.createElement("tr");
        line.append(...columns.map((column) => column.cell(row)));
        return line;
      }));
    }

    // Paper has no pages to turn: all rows that were found, or the first of them and a word about the others.
    print() {
      const rows = this.rows.slice(0, PRINTED);
      this.draw(rows);
      if (this.count && rows.length < this.rows.length) this.count.append(`, the first ${number.format(PRINTED)} printed`);
    }

    tell(start) {
      const [all, found] = [this.all.length, this.rows.length];
      const end = Math.min(start + this.size, found);
      const nouns = all === 1 ? this.noun : `${this.noun}s`;
      if (this.count) {
        this.count.textContent = found === all
          ? `${number.format(all)} ${nouns}` : `${number.format(found)} of ${number.format(all)} ${nouns}`;
      }
      if (!this.pager) return;
      const last = this.last();
      this.pager.hidden = last === 0;
      this.here.textContent = `${number.format(start + 1)}–${number.format(end)} of ${number.format(found)}`;
      for (const button of this.pager.querySelectorAll("button")) {
        const back = button.dataset.go === "first" || button.dataset.go === "previous";
        button.setAttribute("aria-disabled", String(this.page === (back ? 0 : last)));
      }
    }

    last() {
      return Math.max(0, Math.ceil(this.rows.length / this.size) - 1);
    }

    turn(where) {
      const pages = { first: 0, previous: this.page - 1, next: this.page + 1, last: this.last() };
      const page = Math.min(Math.max(pages[where], 0), this.last());
      if (page === this.page) return;
      this.show(page);
      this.root.scrollIntoView({ block: "start" });
    }
  }

  // A slash leads to the first filter in sight, and Escape takes back what stands in the filters that have the focus.
  function listen(event) {
    const { target, key } = event;
    const writing = target.matches("input, select, textarea");
    if (key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = [...document.querySelectorAll("input[type=search]")].find((each) => each.checkVisibility());
      if (!search) return;
      event.preventDefault();
      search.focus();
    } else if (key === "Escape" && writing && target.form) {
      target.form.reset();
    }
  }

  const tables = [...document.querySelectorAll(".data")].map((root) => new Table(root));
  document.addEventListener("keydown", listen);
  window.addEventListener("beforeprint", () => tables.forEach((table) => table.print()));
  window.addEventListener("afterprint", () => tables.forEach((table) => table.show(table.page)));
})();
