//! The standard words of the Core Business Vocabulary 2.0, as the JSON-LD context of EPCIS lists them: bare in JSON, and
//! with the prefix of their kind in the hash. Each list is sorted.

/// A kind of words.
pub struct Words {
    /// What stands before a word in its full form.
    pub prefix: &'static str,
    /// The words.
    pub words: &'static [&'static str],
}

impl Words {
    /// The full form of a bare word.
    pub fn full(&self, word: &str) -> Option<String> {
        self.words.binary_search(&word).ok().map(|_| format!("{}{word}", self.prefix))
    }
}

/// Business steps.
#[rustfmt::skip]
pub static BIZ_STEPS: Words = Words {
    prefix: "https://ref.gs1.org/cbv/BizStep-",
    words: &[
        "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning", "creating_class_instance",
        "cycle_counting", "decommissioning", "departing", "destroying", "disassembling", "dispensing", "encoding",
        "entering_exiting", "holding", "inspecting", "installing", "killing", "loading", "other", "packing",
        "picking", "receiving", "removing", "repackaging", "repairing", "replacing", "reserving", "retail_selling",
        "sampling", "sensor_reporting", "shipping", "staging_outbound", "stock_taking", "stocking", "storing",
        "transporting", "unloading", "unpacking", "void_shipping",
    ],
};

/// Dispositions.
#[rustfmt::skip]
pub static DISPOSITIONS: Words = Words {
    prefix: "https://ref.gs1.org/cbv/Disp-",
    words: &[
        "active", "available", "completeness_inferred", "completeness_verified", "conformant", "container_closed",
        "container_open", "damaged", "destroyed", "dispensed", "disposed", "encoded", "expired", "in_progress",
        "in_transit", "inactive", "mismatch_class", "mismatch_instance", "mismatch_quantity", "needs_replacement",
        "no_pedigree_match", "non_conformant", "non_sellable_other", "partially_dispensed", "recalled", "reserved",
        "retail_sold", "returned", "sellable_accessible", "sellable_not_accessible", "stolen", "unavailable",
        "unknown",
    ],
};

/// Types of sources and destinations.
#[rustfmt::skip]
pub static PARTY_TYPES: Words = Words {
    prefix: "https://ref.gs1.org/cbv/SDT-",
    words: &[
        "location", "owning_party", "possessing_party",
    ],
};

/// Types of business transactions.
#[rustfmt::skip]
pub static TRANSACTION_TYPES: Words = Words {
    prefix: "https://ref.gs1.org/cbv/BTT-",
    words: &[
        "bol", "cert", "desadv", "inv", "pedigree", "po", "poc", "prodorder", "recadv", "rma", "testprd", "testres",
        "upevt",
    ],
};

/// Types of measurements.
#[rustfmt::skip]
pub static MEASUREMENTS: Words = Words {
    prefix: "https://gs1.org/voc/",
    words: &[
        "AbsoluteHumidity", "AbsorbedDose", "AbsorbedDoseRate", "Acceleration", "Altitude", "AmountOfSubstance",
        "AmountOfSubstancePerUnitVolume", "Angle", "AngularAcceleration", "AngularMomentum", "AngularVelocity",
        "Area", "Capacitance", "Conductance", "Conductivity", "Count", "Density", "Dimensionless", "DoseEquivalent",
        "DoseEquivalentRate", "DynamicViscosity", "ElectricCharge", "ElectricCurrent", "ElectricCurrentDensity",
        "ElectricFieldStrength", "Energy", "Exposure", "Force", "Frequency", "Illuminance", "Inductance",
        "Irradiance", "KinematicViscosity", "Length", "LinearMomentum", "Luminance", "LuminousFlux",
        "LuminousIntensity", "MagneticFlux", "MagneticFluxDensity", "MagneticVectorPotential", "Mass",
        "MassConcentration", "MassFlowRate", "MassPerAreaTime", "MemoryCapacity", "MolalityOfSolute", "MolarEnergy",
        "MolarMass", "MolarVolume", "Power", "Pressure", "RadiantFlux", "RadiantIntensity", "Radioactivity",
        "RelativeHumidity", "Resistance", "Resistivity", "SolidAngle", "SpecificVolume", "Speed", "SurfaceDensity",
        "SurfaceTension", "Temperature", "Time", "Torque", "Voltage", "Volume", "VolumeFlowRate", "VolumeFraction",
        "VolumetricFlux", "Wavenumber",
    ],
};

/// Conditions that a sensor reports.
#[rustfmt::skip]
pub static EXCEPTIONS: Words = Words {
    prefix: "https://gs1.org/voc/",
    words: &[
        "ALARM_CONDITION", "ERROR_CONDITION",
    ],
};

/// Components of a measurement with several dimensions.
#[rustfmt::skip]
pub static COMPONENTS: Words = Words {
    prefix: "https://ref.gs1.org/cbv/Comp-",
    words: &[
        "altitude", "axial_distance", "azimuth", "easting", "elevation_angle", "height", "latitude", "longitude",
        "northing", "polar_angle", "spherical_radius", "x", "y", "z",
    ],
};

/// Reasons of an error declaration.
#[rustfmt::skip]
pub static REASONS: Words = Words {
    prefix: "https://ref.gs1.org/cbv/ER-",
    words: &[
        "did_not_occur", "incorrect_data",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_each_once() {
        for kind in [
            &BIZ_STEPS,
            &DISPOSITIONS,
            &PARTY_TYPES,
            &TRANSACTION_TYPES,
            &MEASUREMENTS,
            &EXCEPTIONS,
            &COMPONENTS,
            &REASONS,
        ] {
            assert!(kind.words.is_sorted_by(|left, right| left < right), "{}", kind.prefix);
        }
        assert_eq!(BIZ_STEPS.full("receiving").as_deref(), Some("https://ref.gs1.org/cbv/BizStep-receiving"));
        assert_eq!(BIZ_STEPS.full("transforming"), None);
    }
}
