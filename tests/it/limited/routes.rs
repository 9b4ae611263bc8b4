//! Which addresses do the admin pages have? Read from the files that the router is made from, so that none is forgotten.

use std::fs;

/// An address below `/payments/admin/`, as the router has it.
pub struct Route {
    pub path: String,
    /// Whether it is a POST.
    pub is_act: bool,
}

/// All of them.
pub fn routes() -> Vec<Route> {
    let folder = format!("{}/src/admin/pages", env!("CARGO_MANIFEST_DIR"));
    let mut routes = Vec::new();
    for file in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for made in text.split("Route::").skip(1) {
            let (way, given) = made.split_once('(').unwrap();
            let mut texts = given.split('"').skip(1).step_by(2);
            let path = match way {
                "section" => texts.nth(1),
                "page" | "act" => texts.next(),
                _ => panic!("a route is made by an unknown way: {way}"),
            };
            routes.push(Route { path: path.unwrap().to_owned(), is_act: way == "act" });
        }
    }
    routes
}
