//! Opens the page written by `--report html=…` in a real browser. Checks that the page fits a phone and a desktop and doesn't
//! load any other resources.
//!
//! The tests need headless Chromium, either at the path in `ROLECALL_CHROMIUM` or on the `PATH` as `chromium` or
//! `chromium-browser`. Without Chromium, the tests fail if `ROLECALL_REQUIRE_CHROMIUM` is set. Otherwise, they're skipped with a
//! message.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::harness::Scene;

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("ROLECALL_CHROMIUM").map(PathBuf::from);
    let folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let known = ["chromium", "chromium-browser"]
        .into_iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = named.into_iter().chain(known).find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("ROLECALL_REQUIRE_CHROMIUM").is_none(),
            "Chromium is required, and not there"
        );
        // Bypass the test runner's output capture to show which tests were skipped.
        #[expect(clippy::disallowed_methods, reason = "this is not rolecall's own output")]
        let _ = writeln!(std::io::stderr(), "skipped, since there is no Chromium: the page in a browser");
    }
    found
}

/// A page that loads the report in a frame with the width `WIDTH`, and shows the measurements of the report as JSON.
const FRAME: &str = r#"<!doctype html><iframe src="report.html" width="WIDTH" height="900" style="border:0"></iframe><pre id="told"></pre><script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const styled = element => page.defaultView.getComputedStyle(element);
  document.getElementById("told").textContent = JSON.stringify({
    width: page.documentElement.clientWidth,
    needs: page.documentElement.scrollWidth,
    title: page.title,
    rows: page.querySelectorAll("table.changes tbody tr").length,
    lanes: page.querySelectorAll("svg .lane").length,
    scripts: page.scripts.length,
    loaded: page.defaultView.performance.getEntriesByType("resource").length,
    rowDisplay: styled(page.querySelector("table.changes tbody tr")).display,
    ground: styled(page.body).backgroundColor,
  });
};
</script>"#;

fn measured(chromium: &PathBuf, scene: &Scene, width: u32, dark: bool) -> Value {
    fs::write(scene.folder().join("frame.html"), FRAME.replace("WIDTH", &width.to_string())).unwrap();
    let mut command = Command::new(chromium);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--allow-file-access-from-files",
        "--virtual-time-budget=5000",
        "--window-size=1400,1000",
    ]);
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    let profile = tempfile::tempdir().unwrap();
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg("--dump-dom");
    let output = command.arg(format!("file://{}/frame.html", scene.folder().display())).output().unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    let told = page.split("<pre id=\"told\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let told = told.unwrap_or_else(|| panic!("{page}\n{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(told).unwrap_or_else(|error| panic!("{error}: {told}\n{page}"))
}

#[test]
fn the_page_fits_phone_and_desktop_in_both_themes_and_loads_nothing() {
    let Some(chromium) = chromium() else { return };
    let long =
        "an-address-that-nobody-would-like-to-type-more-than-once@support-of-many-regions.acme.example";
    let people = format!(
        r#"{{ "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "viewer" }},
           {{ "id": "u_long", "email": "{long}", "name": "{}", "role": "viewer" }}"#,
        "Unbreakable".repeat(30)
    );
    let scene = Scene::with_pylon(&format!("{{ \"users\": [{people}] }}")).file(
        "users.toml",
        format!("[defaults]\nrole = \"Member\"\n[users]\n\"bo@acme.example\" = {{ windows = [{{ from = 2026-12-01, until = 2027-01-01, status = \"away\", then = \"active\" }}] }}\n\"{long}\" = {{}}\n"),
    );
    scene.run("plan --report html=report.html").exits(0);
    let mut grounds = Vec::new();
    for (width, dark, row) in [(360, false, "block"), (1200, false, "table-row"), (1200, true, "table-row")] {
        let told = measured(&chromium, &scene, width, dark);
        assert_eq!(told["title"], "rolecall plan: 2 people change");
        assert_eq!((&told["rows"], &told["lanes"]), (&2.into(), &1.into()));
        assert_eq!((&told["scripts"], &told["loaded"]), (&0.into(), &0.into()));
        assert!(told["needs"].as_u64() <= told["width"].as_u64(), "it scrolls sideways at {width}: {told}");
        assert_eq!(told["rowDisplay"], row, "at {width}");
        grounds.push(told["ground"].clone());
    }
    assert!(grounds[0] == grounds[1] && grounds[1] != grounds[2], "light and dark: {grounds:?}");
}
